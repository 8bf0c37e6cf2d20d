"""Damage is seen and survived: flipped bits, cut files, runs that are wrecked."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import Checkpoint, list_checkpoints, load_weights
from cifar_core.errors import CheckpointError
from cifar_core.jobs.tasks.train import _load_newest
from cifar_core.records.records import read_metrics
from cifar_core.runs.store import list_runs, unreadable
from cifar_core.training.checkpointing import load_state, save_checkpoint
from tests.builders import SAVED, config_of, set_up, state_at
from tests.made_up_data import made_up
from tests.real_jobs import ended_run, new_run, rewrite
from tests.reliability.report import Tally

EMA = 0.9


def damage(file: Path, chance: random.Random) -> None:
    """Flips one bit, or cuts the end off: more of it than the empty line's end of a JSON file."""
    content = bytearray(file.read_bytes())
    if chance.random() < 0.5:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    else:
        del content[chance.randrange(len(content) - 1) :]
    file.write_bytes(content)


def is_refused(checkpoint: Checkpoint, run_dir: Path) -> bool:
    """Whether it is not listed any more, or cannot be loaded."""
    if checkpoint.name not in [c.name for c in list_checkpoints(run_dir)]:
        return True
    state, _ = set_up(config_of(ema=EMA), made_up(64, 30))
    try:
        load_weights(checkpoint, state.eval_model)
        load_state(checkpoint, state)
    except CheckpointError:
        return True
    return False


def test_every_damage_is_seen_and_the_checkpoint_before_is_used(
    tmp_path: Path, tally: Tally
) -> None:
    run_dir, kept = tmp_path / "run", tmp_path / "kept"
    run_dir.mkdir()
    before, newest = (
        save_checkpoint(run_dir, "last", state_at(s, ema=EMA), *SAVED) for s in (3, 6)
    )
    shutil.copytree(newest.path, kept)
    files = sorted(newest.path.iterdir())
    assert len(files) == 4
    chance, seen = random.Random(6), 0
    times = tally.times(60, 2000)
    for number in range(times):
        file = files[number % len(files)]
        damage(file, chance)
        refused = is_refused(newest, run_dir)
        if number % 20 == 0:
            state, _ = set_up(config_of(ema=EMA), made_up(64, 30))
            used = _load_newest(run_dir, state)
            assert used is not None
            assert (used.name, state.step) == (before.name, 3)
        seen += refused
        shutil.copyfile(kept / file.name, file)
    assert not is_refused(newest, run_dir)
    what = "a flipped bit or truncated file in a checkpoint: detected, the previous one is used"
    tally.note("R17", what, seen, times)


WRECKS: dict[str, Callable[[Path], object]] = {
    "no request": lambda p: (p / "request.json").write_text(""),
    "torn request": lambda p: (p / "request.json").write_text('{"kind": "tr'),
    "binary request": lambda p: (p / "request.json").write_bytes(bytes(range(256))),
    "no kind": lambda p: rewrite(p, kind=None),
    "unknown setting": lambda p: rewrite(p, config={"no_such": 1}),
    "no time": lambda p: rewrite(p, created="yesterday"),
    "time without zone": lambda p: rewrite(p, created="2026-01-01T00:00:00"),
    "status of text": lambda p: rewrite(p, "status.json", ended="soon"),
    "status of lists": lambda p: rewrite(p, "status.json", best=[1, 2]),
    "request is a folder": lambda p: ((p / "request.json").unlink(), (p / "request.json").mkdir()),
}


def test_twenty_wrecks_among_two_hundred_runs_disturb_nobody(runs: Path, tally: Tally) -> None:
    for number in range(90):
        ended_run(runs, f"ended {number}")
        new_run(runs, f"new {number}")
    for number, wreck in enumerate([*WRECKS.values()] * 2):
        wreck(ended_run(runs, f"wreck {number}"))
    started = time.perf_counter()
    readable, wrecks = list_runs(runs), unreadable(runs)
    took_s = time.perf_counter() - started
    assert all(why.endswith((".", "?", "!")) for _, why in wrecks)
    what = f"200 runs, 20 damaged in 10 ways: all listed or reported (in {took_s:.2f} s)"
    tally.note("R18", what, len(readable) + len(wrecks), 200)
    assert (len(readable), len(wrecks)) == (180, 20)


def test_damaged_lines_of_records_are_counted_and_left_out(finished: Path, tmp_path: Path) -> None:
    lines = (finished / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    chance = random.Random(7)
    file = tmp_path / "metrics.jsonl"
    for _ in range(50):
        number = chance.randrange(len(lines) - 1)
        torn = lines[number][: chance.randrange(1, len(lines[number]) - 2)] + b"\n"
        file.write_bytes(b"".join([*lines[:number], torn, *lines[number + 1 :]]))
        found = read_metrics(file)
        assert found.damaged == 1
        assert len(found.steps) + len(found.epochs) == len(lines) - 1


class Crash(BaseException):
    """kill -9 at a file operation."""


def test_rotation_never_takes_the_last_good_one(
    tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any rename or write inside saving: a whole one is always there."""
    chance, good, saved = random.Random(8), 0, 0
    state = state_at(1)
    save_checkpoint(tmp_path, "last", state, *SAVED)
    replace = Path.replace
    left = -1

    def deadly(path: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", deadly)
    times = tally.times(15, 500)
    while saved < times:
        state.step += 1
        left = chance.randrange(1, 9)
        try:
            save_checkpoint(tmp_path, "last", state, *SAVED)
            left = -1
            assert not list(tmp_path.glob(".*.draft"))
        except Crash:
            saved += 1
            kept = list_checkpoints(tmp_path, "last")
            load_state(kept[-1], set_up(config_of(), made_up(64, 30))[0])
            good += kept[-1].step >= state.step - 2
            state.step = kept[-1].step
    tally.note(
        "R21",
        "killed at a rename while a checkpoint is written: a complete one remains",
        good,
        times,
    )
