"""Names, notes and logs on a terminal: shown letter by letter, whatever is in them."""

import io
import json
import sys
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.cli.terminal import VisibleStream, visible, visible_output
from cifar_core.system.files import write_json
from tests.real_jobs import ended_run, rewrite

HOSTILE = "\x1b]0;title\x07\x1b[2Ja\x9bb\rc\x00\u202ed\u2066"
SHOWN = r"\x1b]0;title\x07\x1b[2Ja\x9bb\rc\x00\u202ed\u2066"
ORDINARY = "Zürich\t学 \u200dपरीक्षण 👩\u200d🔬\nnext"


def test_control_characters_are_written_out_and_scripts_stay() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible(ORDINARY) == ORDINARY


def test_a_stream_shows_them_and_is_the_stream_in_all_else() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    stream = VisibleStream(out)
    assert stream.write(HOSTILE) == len(HOSTILE)
    assert out.buffer.getvalue().decode() == SHOWN
    assert stream.encoding == "utf-8"
    bar = VisibleStream(io.StringIO(), returns=True)
    bar.write("\r 50% \x1b[A\r")
    assert bar.getvalue() == "\r 50% \\x1b[A\\r"


def test_the_streams_are_put_back() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(SystemExit), visible_output():
        sys.exit(2 if sys.stdout is before[0] else 3)
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("where", ["name", "notes", "reason", "log"])
def test_no_command_about_runs_lets_them_through(
    runs: Path, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = ended_run(runs, "known", "failed")
    if where in ("name", "notes"):
        rewrite(run_dir, "name.json", **{"name": "known", where: HOSTILE})
    elif where == "reason":
        write_json(run_dir / "status.json", {"outcome": "failed", "reason": HOSTILE})
    else:
        (run_dir / "worker.log").write_text(HOSTILE.replace("\r", ""), newline="")
    for words in (["runs", "list"], ["runs", "show", run_dir.name], ["runs", "show", "nobody"]):
        main(words)
        told = capsys.readouterr()
        assert not set("\x1b\x07\x9b\r\x00\u202e\u2066") & set(told.out + told.err), words
    main(["runs", "show", run_dir.name])
    assert r"\x1b]0;title\x07" in capsys.readouterr().out
    main(["runs", "show", run_dir.name, "--json"])
    told = json.loads(capsys.readouterr().out)
    if where in ("name", "notes", "reason"):
        assert told[where] == HOSTILE


def test_a_report_goes_where_its_name_would_lead_only_if_it_is_one(
    evaluated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite(evaluated, "name.json", name="../out/x")
    (tmp_path / "out").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main(["report", evaluated.name]) == 0
    assert f"Wrote {evaluated.name}.html." in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "here").iterdir()] == [f"{evaluated.name}.html"]
    assert not list((tmp_path / "out").iterdir())
