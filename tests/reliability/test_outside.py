"""What comes from outside, at random with fixed seeds: addresses and arguments.

Whatever it is, it is taken or refused in a sentence: no traceback, no exception on a page, no hang.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.cli.main import build_parser, main
from cifar_core.config.train import TrainConfig
from cifar_core.runs.store import find_run
from cifar_core.system.paths import repository
from tests.apptest import app, opened_again
from tests.reliability.report import Tally
from tests.reliability.told import HANG_S, told_or_done
from tests.waiting import LIMIT_S

WORDS = (
    *("", "0", "1", "-1", "9" * 40, "1e400", "nan", "²", "٣", "1,2,3", ",", "20-80", "80-20", "-"),
    *("test", "train", "val", "best", "last", "all", "on", "first", "shapes10", "cifar10"),
    *("../../etc/passwd", "/dev/null", "/dev/zero", "~", "~nobody/x", ".", "..", "C:\\x"),
    *("![i](http://evil.test/i.png)", "<script>", "**b**", ":material/home:", "$x$", "'; --"),
    *(
        "\x00",
        "\x1b[2J",
        "\u202eabc",
        "\ud83d",
        "é",
        "e\u0301",
        "学",
        "प्रशिक्षण",
        "🙂",
        "x" * 10_000,
    ),
    *("{}", "[]", "null", '{"operations": []}', "[" * 3000, "%", "%00", "+", "=1+1"),
)
PAGES = {
    "data": ("source", "split", "class"),
    "augmentation": ("preset", "image", "seed"),
    "lr_finder": ("run",),
    "train": ("run", "axis"),
    "runs": ("run",),
    "evaluation": ("run", "checkpoint", "split", "flip", "view", "epoch"),
    "gallery": ("run", "checkpoint", "split", "true", "predicted", "show", "sort", "page", "sure"),
    "image": ("run", "checkpoint", "split", "image"),
    "compare": ("run", "other", "split", "checkpoint"),
    "gradcam": ("run", "checkpoint", "split", "images", "layer", "method", "target", "beside"),
    "models": ("model",),
}


def some_text(chance: random.Random) -> str:
    """One of the words, two of them joined, or anything at all."""
    kind = chance.randrange(6)
    if kind < 3:
        return chance.choice(WORDS)
    if kind == 3:
        return chance.choice(WORDS) + chance.choice(WORDS)
    if kind == 4:
        return str(chance.randrange(-10, 20_000))
    return "".join(chr(chance.randrange(1, 0xD000)) for _ in range(chance.randrange(1, 30)))


def in_address(chance: random.Random) -> str:
    """What a browser would send of it: whole characters only."""
    return some_text(chance).encode(errors="replace").decode()


def address_readers() -> None:
    """A page that has every widget whose value is in the address; its source runs alone."""
    from cifar_core.errors import CifarCoreError
    from pages.ui.session import messages, url

    url.select("Select", "a", ["x", "test"], "x")
    url.select("Beside", "b", ["x", "best"], "x", beside=True)
    url.switch("Switch", "c")
    url.whole("Whole", "d", [1, 2, 3], 1)
    url.span("Span", "e", "help")
    url.page_buttons(9, url.page_of(9))
    for name in ("f", "g"):
        try:
            url.numbers(name, url.st.query_params.get(name, ""))
        except CifarCoreError as error:
            messages.error(error)


def test_addresses_are_read_or_reported(tally: Tally, evaluated: Path) -> None:
    chance, at = random.Random(0), AppTest.from_function(address_readers, default_timeout=LIMIT_S)
    times, good = tally.times(1000, 10_000), 0
    for _ in range(times):
        started = time.monotonic()
        at.query_params.clear()
        for name in (*"abcdefg", "page"):
            if chance.random() < 0.7:
                at.query_params[name] = in_address(chance)
        at.run()
        text = some_text(chance)
        for find in (find_run, find_checkpoint):
            folder = evaluated.parent if find is find_run else evaluated
            told_or_done(lambda text=text, find=find, folder=folder: find(folder, text))
        good += not at.exception and time.monotonic() - started < HANG_S
    tally.note("R23", "addresses through what reads them: a value or a report", good, times)


@pytest.mark.usefixtures("fresh_caches", "known_speeds")
def test_addresses_open_pages_without_an_exception(tally: Tally, evaluated: Path) -> None:
    chance, at = random.Random(1), app()
    times, good = tally.times(50, 500), 0
    for number in range(times):
        page = sorted(PAGES)[number % len(PAGES)]
        names = PAGES[page]
        values = {name: in_address(chance) for name in names if chance.random() < 0.5}
        if chance.random() < 0.7:
            values["run"] = evaluated.name
        opened_again(at, page, **{"run": "", **values})  # asserts that there is no exception
        good += 1
    tally.note("R23", "addresses through pages: no exception", good, times)


COMMANDS = (
    *(("data", "stats"), ("data", "verify"), ("augment",), ("summary",), ("train",), ("lr-find",)),
    *(("evaluate",), ("explain",), ("rank",), ("report",), ("plot",), ("errors",)),
    *(("runs", "list"), ("runs", "show"), ("runs", "stop"), ("runs", "resume")),
    *(("runs", "extend"), ("runs", "rename"), ("runs", "delete")),
)
OPTIONS = (
    *("--json", "--yes", "--keep-curves", "--force", "--again", "--flip", "--detach", "--notes"),
    *("--name", "--data", "--split", "--checkpoint", "--method", "--layer", "--index", "--file"),
    *("--num", "--out", "--samples", "--config", "--recipe", "--augment", "--export", "--format"),
    *(f"--{name.replace('_', '-')}" for name in TrainConfig.model_fields),
)
NOWHERE = "/dev/null/runs"  # so that nothing is started


def mix(chance: random.Random) -> list[str]:
    """A command with options and values, few of which fit."""
    words = list(chance.choice(COMMANDS))
    for _ in range(chance.randrange(5)):
        words.append(chance.choice(OPTIONS) if chance.random() < 0.6 else some_text(chance))
    starts = words[0] not in ("data", "augment", "summary")
    return [*words, "--runs", NOWHERE] if starts else words


def test_arguments_are_obeyed_or_refused(
    tally: Tally,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    chance = random.Random(2)
    times, good = tally.times(300, 3000), 0
    for _ in range(times):
        words, started = mix(chance), time.monotonic()
        try:
            code = main(words)
        except SystemExit as end:  # argparse's own
            code = end.code
        told = capsys.readouterr()
        assert code in (0, 1, 2), words
        assert "Traceback" not in told.err, words
        assert code == 0 or told.err, words
        good += time.monotonic() - started < HANG_S
    assert not list(runs.glob("*/request.json"))
    tally.note("R24", "mixes of command-line arguments: exit code 0, 1 or 2", good, times)


def test_arguments_in_processes_of_their_own(tally: Tally, tmp_path: Path) -> None:
    chance = random.Random(3)
    times, good = tally.times(6, 60), 0
    for _ in range(times):
        words = [word.replace("\x00", "").encode(errors="replace").decode() for word in mix(chance)]
        done = subprocess.run(
            [sys.executable, "-m", "cifar_core", *words],
            cwd=tmp_path,
            env={"PYTHONPATH": str(repository()), "HOME": str(tmp_path), "PATH": ""},
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        good += done.returncode in (0, 1, 2) and b"Traceback" not in done.stderr
    tally.note("R24", "the same in processes of their own", good, times)


def test_the_mixes_name_commands_that_there_are() -> None:
    texts = build_parser().format_help()
    assert all(words[0] in texts for words in COMMANDS)
