"""Values in JSON files and names of runs at random, with fixed seeds: taken, or refused."""

import json
import random
import time
import unicodedata
from pathlib import Path

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.cli.output import describe
from cifar_core.evaluation.available import load_predictions
from cifar_core.evaluation.history import load_history
from cifar_core.records import layout
from cifar_core.records.records import read_metrics
from cifar_core.runs.lifecycle import create_run, rename_run
from cifar_core.runs.names import is_name, normalized
from cifar_core.runs.store import TrainingRun, find_run, list_runs, read_run, unreadable
from tests.json_changes import VALUES, changed, paths_of
from tests.real_jobs import REQUEST
from tests.reliability.report import Tally
from tests.reliability.told import HANG_S, told_or_done


def read_everything(run_dir: Path) -> None:
    """All that is read of an evaluated run."""
    list_checkpoints(run_dir)
    run = read_run(run_dir, TrainingRun)
    describe(run)
    read_metrics(run_dir / layout.METRICS)
    load_predictions(run)
    load_history(run)


def test_any_value_of_any_json_file_fits_or_is_told(tally: Tally, evaluated: Path) -> None:
    """Each value of each file changed to each of 15 others, or taken away."""
    (evaluated / layout.STOP).write_text('{"requested": 1000.5, "forced": null}')
    every, good, times = (1 if tally.full else 10), 0, 0
    files = [p for p in sorted(evaluated.rglob("*")) if p.suffix == ".json" or p.name == "stop"]
    assert {"request.json", "status.json", "name.json", "manifest.json"} <= {p.name for p in files}
    cases = [
        (path, place, text)
        for path in files
        for place in paths_of(json.loads(path.read_text(encoding="utf-8")))
        for text in (None, *VALUES)
    ]
    for path, place, text in cases[::every]:
        content, started = path.read_text(encoding="utf-8"), time.monotonic()
        path.write_text(changed(content, place, text), encoding="utf-8")
        try:
            good += told_or_done(lambda: read_everything(evaluated))
            names = {run.name for run in list_runs(evaluated.parent)}
            assert names or unreadable(evaluated.parent), (path.name, place, text)
            assert time.monotonic() - started < HANG_S, (path.name, place, text)
        finally:
            path.write_text(content, encoding="utf-8")
        times += 1
    tally.note("R25", "one value changed in one JSON file of a run: read, or told", good, times)


def some_name(chance: random.Random, letters: list[str]) -> str:
    """Letters and marks that stand near each other, so mostly of one script."""
    start = chance.randrange(len(letters) - 40)
    near = letters[start : start + 40]
    return "".join(chance.choice(near) for _ in range(chance.randrange(1, 20)))


def test_names_of_every_script_are_kept_or_refused(tally: Tally, tmp_path: Path) -> None:
    chance = random.Random(4)
    letters = [c for c in map(chr, range(0x3000)) if unicodedata.category(c)[0] in "LMN"]
    letters += [chr(c) for c in range(0x4E00, 0xD7A3, 97)]
    times, good, taken = tally.times(50, 500), 0, 0
    for number in range(times):
        root = tmp_path / str(number // 25)
        name = some_name(chance, letters)
        if not is_name(normalized(name)):
            good += told_or_done(lambda root=root, name=name: create_run(root, REQUEST, name))
            assert not root.exists() or name not in {run.name for run in list_runs(root)}
            continue
        path, taken = create_run(root, REQUEST, name), taken + 1
        for written in (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))):
            assert find_run(root, written).path == path
        rename_run(read_run(path), f"{number}")
        rename_run(read_run(path), name)
        good += find_run(root, name).name == normalized(name)
    assert taken > times / 2
    tally.note("R26", "names of letters of any script: kept as composed, or refused", good, times)
