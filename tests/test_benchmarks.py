"""The frame of the measurements and their comparisons; no test here is timed."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks.evaluate import compare
from benchmarks.frame import (
    QUICK_REPEATS,
    REPEATS,
    Bar,
    Measured,
    Unequal,
    figures,
    interleave,
    machine,
    spread,
    table,
)
from benchmarks.maps import largest_difference, nearest

OURS_S, PEER_S = (1.0, 2.0, 9.0), (8.0, 3.0, 6.0)


def line(bar: Bar) -> Measured:
    return Measured("this", "that", "all equal", OURS_S, PEER_S, bar)


# The frame


def test_the_ratio_is_that_of_the_medians() -> None:
    assert line(Bar()).ratio == 3
    assert spread(OURS_S) == "2.00 s (1.00 to 9.00)"


@pytest.mark.parametrize(
    ("bar", "text", "reached"),
    [
        (Bar(min_ratio=3), ">= 3x", True),
        (Bar(min_ratio=3.5), ">= 3.5x", False),
        (Bar(max_s=2), "<= 2 s", True),
        (Bar(max_s=1.9), "<= 1.9 s", False),
        (Bar(min_ratio=3, max_s=1), ">= 3x and <= 1 s", False),
    ],
)
def test_a_bar_is_reached_by_the_medians(bar: Bar, text: str, reached: bool) -> None:
    assert str(bar) == text
    assert line(bar).reached is reached


def test_the_table_says_all_of_a_line_and_whether_it_was_quick() -> None:
    full = table([line(Bar(max_s=25))]).splitlines()
    assert full[0] == "| what | ours | peer | ratio | bar | reached |"
    assert full[2:] == [
        "| this | 2.00 s (1.00 to 9.00) | that: 6.00 s (3.00 to 8.00) | 3.0x | <= 25 s | yes |",
        "",
        "this: all equal.",
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
    assert capsys.readouterr().err == (
        "There is no measurement 'nothing'. Available: evaluate, maps.\n"
    )


def test_the_table_and_the_file_say_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = line(Bar(max_s=1.5))
    monkeypatch.setattr(command, "MEASUREMENTS", {"one": lambda quick: found})
    assert command.main(["--quick", "--json", str(tmp_path / "found.json")]) == 0
    assert capsys.readouterr().out.startswith(table([found], quick=True))
    written = json.loads((tmp_path / "found.json").read_text())
    assert written["quick"]
    assert written["lines"] == json.loads(json.dumps([figures(found)]))
    assert written["lines"][0]["ours_s_median"] == 2
    assert written["lines"][0]["bar"] == {"min_ratio": None, "max_s": 1.5}


def test_unequal_results_are_a_sentence_and_the_others_are_still_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def differ(quick: bool) -> Measured:
        raise Unequal("maps differ by 0.2")

    found = line(Bar())
    monkeypatch.setattr(command, "MEASUREMENTS", {"one": differ, "two": lambda quick: found})
    assert command.main([]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(table([found]))
    assert "one was not timed, since the results are not equal: maps differ by 0.2." in shown.err
