"""The frame of the measurements and their comparisons; no test here is timed."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import results
from benchmarks.evaluate import compare
from benchmarks.frame import (
    QUICK_REPEATS,
    REPEATS,
    Bar,
    Measured,
    Unequal,
    duration,
    interleave,
    line_of,
    machine,
    percentile,
    spread,
    table,
)
from benchmarks.maps import largest_difference, nearest
from cifar_core.system.paths import repository

OURS_S, PEER_S = (1.0, 2.0, 9.0), (8.0, 3.0, 6.0)


def line(bar: Bar) -> Measured:
    return Measured("this", "that", "all equal", OURS_S, PEER_S, bar)


# The frame


def test_the_ratio_is_that_of_the_medians() -> None:
    assert line(Bar()).ratio == 3
    assert spread(OURS_S) == "2 s (1 s to 9 s)"


@pytest.mark.parametrize(
    ("bar", "text", "reached"),
    [
        (Bar(min_ratio=3), ">= 3x", True),
        (Bar(min_ratio=3.5), ">= 3.5x", False),
        (Bar(max_s=2), "<= 2 s", True),
        (Bar(max_s=1.9), "<= 1.9 s", False),
        (Bar(min_ratio=3, max_s=1), ">= 3x and <= 1 s", False),
        (Bar(max_p95_s=9), "p95 <= 9 s", True),
        (Bar(max_p95_s=0.5), "p95 <= 500 ms", False),
        (Bar(min_share=0.6), ">= 60% of the peak", False),
        (Bar(), "none", True),
    ],
)
def test_a_bar_is_reached_by_the_medians(bar: Bar, text: str, reached: bool) -> None:
    assert str(bar) == text
    assert line(bar).reached is reached


def test_the_table_says_all_of_a_line_and_whether_it_was_quick() -> None:
    full = table([line(Bar(max_s=25))]).splitlines()
    assert full[0] == "| what | ours | peer | ratio | target | met |"
    assert full[2:] == [
        "| this | 2 s (1 s to 9 s) | that: 6 s (3 s to 8 s) | 3.00x | <= 25 s | yes |",
        "",
        "- this: all equal.",
    ]
    assert "quick" in table([line(Bar())], quick=True).splitlines()[0]


@pytest.mark.parametrize(("quick", "repeats"), [(False, REPEATS), (True, QUICK_REPEATS)])
def test_both_run_in_turns(quick: bool, repeats: int) -> None:
    order: list[str] = []
    times = interleave(lambda: order.append("ours"), lambda: order.append("peer"), quick)
    assert order == ["ours", "peer"] * repeats
    assert [len(seconds) for seconds in times] == [repeats, repeats]


def test_the_machine_is_told() -> None:
    facts = machine()
    assert {"cpu", "torch", "commit", "date"} < set(facts)
    assert facts["cpu"]


# Results that are not equal


def test_maps_that_differ_are_not_timed() -> None:
    maps, peaks = np.zeros((2, 4, 4), np.float32), np.array([1, 1e-5], np.float32)
    other = maps.copy()
    other[1] = 1  # has no peak, so it does not count
    assert largest_difference(maps, other, peaks) == 0
    other[0, 1, 2] = 2e-4
    with pytest.raises(Unequal, match=r"1 of 2 maps have a peak, and differ by 2\.0e-04"):
        largest_difference(maps, other, peaks)
    other[0, 1, 2] = np.nan
    with pytest.raises(Unequal, match="differ by nan"):
        largest_difference(maps, other, peaks)
    with pytest.raises(Unequal, match="0 of 2 maps have a peak"):
        largest_difference(maps, maps, peaks * 0)


def test_a_map_may_be_any_of_those_that_rounding_leaves_open() -> None:
    others = np.stack([np.full((4, 4), value, np.float32) for value in (0.1, 0.5, 0.9)])
    assert nearest(np.full((4, 4), 0.6, np.float32), others).max() == np.float32(0.5)


def test_log_probabilities_that_differ_are_not_timed() -> None:
    plain = np.log(np.full((20, 4), 0.2, np.float32) + 0.2 * np.eye(4, dtype=np.float32)[0])
    tipped = plain.copy()
    tipped[0, 1] = 0
    assert "differ by at most 0.0e+00 and 95.0% of the" in compare(plain, plain, tipped)
    tipped[1, 1] = 0
    with pytest.raises(Unequal, match=r"90\.0% of the predicted classes"):
        compare(plain, plain, tipped)
    for wrong in (2e-3, np.nan):
        with pytest.raises(Unequal, match="in fp32 differ by at most"):
            compare(plain + np.float32(wrong), plain, plain)


# The command


def test_an_unknown_name_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["maps", "nothing"]) == 2
    said = f"There is no measurement 'nothing'. Available: {', '.join(command.NAMES)}.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("name", command.NAMES)
def test_every_name_is_a_measurement(name: str) -> None:
    assert importlib.import_module(f"benchmarks.{name}").measure


def test_what_is_kept_is_what_was_measured(tmp_path: Path) -> None:
    first, second = line(Bar(max_s=1.5)), line(Bar(min_ratio=3))
    results.keep("one", [second], {"cpu": "old"}, quick=True, docs=tmp_path)
    results.keep("two", [second], {"cpu": "fast", "commit": "abc"}, quick=False, docs=tmp_path)
    results.keep("one", [first, second], {"cpu": "new"}, quick=False, docs=tmp_path)
    written = json.loads((tmp_path / "benchmarks.json").read_text())
    assert [line_of(raw) for raw in written["one"]["lines"]] == [first, second]
    assert written["one"]["lines"][0]["ours_s_median"] == 2
    page = (tmp_path / "benchmarks.md").read_text()
    assert page == results.page(written)
    assert table([first, second]) in page
    assert "cpu: fast; commit: abc." in page
    assert "old" not in page


def test_the_page_in_docs_is_that_of_its_figures() -> None:
    docs = repository() / "docs"
    figures_ = json.loads((docs / "benchmarks.json").read_text())
    assert (docs / "benchmarks.md").read_text() == results.page(figures_)
    assert not any(found["quick"] for found in figures_.values())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90.0, "90 s"), (1.234, "1.23 s"), (0.05, "50 ms"), (0.0000123, "12.3 us"), (0.0, "0 us")],
)
def test_times_are_told_in_their_size(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_speeds_and_shares_are_told_where_there_are_images() -> None:
    found = replace(line(Bar()), num_images=180, share=0.625, limit="the peak")
    row = table([found]).splitlines()[2]
    assert "90 images/s (20 to 180); 62.5% of the peak" in row
    assert "that: 30 images/s (22 to 60)" in row
    alone = replace(line(Bar(min_ratio=1)), peer="", peer_s=())
    assert (
        table([alone]).splitlines()[2] == "| this | 2 s (1 s to 9 s) | none |  | >= 1x | **no** |"
    )


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1, 50, 95, 100]
    assert "p95 95 s" in spread(values)


def test_unequal_results_are_a_sentence_and_the_others_are_still_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = line(Bar())

    def measure(name: str, quick: bool) -> list[Measured]:
        if name == "one":
            raise Unequal("maps differ by 0.2")
        return [found]

    monkeypatch.setattr(command, "NAMES", ("one", "two"))
    monkeypatch.setattr(command, "measure", measure)
    assert command.main([]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(table([found]))
    assert "one was not timed, since the results are not equal: maps differ by 0.2." in shown.err
