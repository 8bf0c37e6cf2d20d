"""Eight runs that write and ten readers, all at once: nobody meets half of anything."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.jobs.launch import launch_training
from cifar_core.records.records import read_metrics
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs, read_run
from tests.real_jobs import wait_for
from tests.reliability.plain import PlainServer, plain_config
from tests.reliability.report import Tally

# Reads all there is until the folder `over` appears; prints how often, or what went wrong.
READER = """
import sys
from pathlib import Path
from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.errors import CheckpointError
from cifar_core.records import Metrics, read_metrics
from cifar_core.runs import list_runs, unreadable
from tests.reliability.plain import value_of
root, over = Path(sys.argv[1]), Path(sys.argv[2])
known, rounds, gone = {}, 0, 0
while not over.exists() or not rounds:
    assert not unreadable(root), unreadable(root)
    for run in list_runs(root):
        before = known.get(run.run_id, Metrics())
        now = known[run.run_id] = read_metrics(run.path / "metrics.jsonl", before)
        assert not now.damaged
        assert [e.epoch for e in now.epochs] == list(range(1, len(now.epochs) + 1))
        assert len(now.epochs) >= len(before.epochs)
        for checkpoint in list_checkpoints(run.path):
            try:
                value_of(checkpoint)
            except CheckpointError:
                assert not checkpoint.path.exists(), checkpoint  # rotated away meanwhile
                gone += 1
    rounds += 1
print(rounds)
"""


def epochs_of(run_dirs: list[Path]) -> list[int]:
    return [len(read_metrics(run_dir / "metrics.jsonl").epochs) for run_dir in run_dirs]


@pytest.mark.timeout(600)
def test_eight_writers_and_ten_readers_do_not_disturb_each_other(
    runs: Path, plain: PlainServer, tally: Tally
) -> None:
    seconds = tally.times(4, 60)
    config = plain_config(epochs=2000, step_s=0.02)
    run_dirs = []
    for number in range(8):
        plain.fault = {"device": f"cpu:{number}"}  # each on a device of its own, none waits
        run_dirs.append(launch_training(runs, config))
    plain.fault = {}
    for run_dir in run_dirs:
        wait_for(run_dir, RunState.RUNNING)
    over = runs / ".over"
    command = [sys.executable, "-c", READER, str(runs), str(over)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    time.sleep(seconds)
    while min(epochs_of(run_dirs)) < 3:
        time.sleep(0.1)  # on a busy machine
    over.mkdir()
    rounds = [int(reader.communicate(timeout=60)[0] or 0) for reader in readers]
    assert all(reader.returncode == 0 for reader in readers)
    epochs = epochs_of(run_dirs)
    running = [r for r in list_runs(runs) if r.state is RunState.RUNNING]
    assert all(list_checkpoints(run_dir, "last") for run_dir in run_dirs)
    what = (
        f"8 writers ({sum(epochs):,} epochs kept) and 10 readers ({sum(rounds):,} rounds) "
        f"for {seconds} s: no torn read, no exception"
    )
    tally.note("R22", what, len(running) + sum(r > 0 for r in rounds), 18)


@pytest.mark.timeout(600)
def test_endless_output_neither_blocks_a_run_nor_fills_the_disk(
    runs: Path, plain: PlainServer, tally: Tally
) -> None:
    megabytes = tally.times(8, 100)
    run_dir = launch_training(runs, plain_config(epochs=3))
    (run_dir / "trouble").write_text(f"print {megabytes}")
    started, largest = time.monotonic(), 0
    while read_run(run_dir).state.is_active:
        largest = max(largest, (run_dir / "worker.log").stat().st_size)
    took_s = time.monotonic() - started
    assert read_run(run_dir).state is RunState.COMPLETED
    assert "the last line" in (run_dir / "worker.log").read_text()
    what = f"a worker that prints {megabytes} MB in {took_s:.1f} s: its log at most 20 MB"
    tally.note("R3", f"{what} ({largest / 1e6:.0f} MB)", int(largest <= 20_000_000), 1)
