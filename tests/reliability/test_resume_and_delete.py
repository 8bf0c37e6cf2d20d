"""Resume and Delete of one run in the same moment: one wins, the other says so, nothing is left."""

import shutil
import threading
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.jobs.launch import resume_run
from cifar_core.runs.lifecycle import delete_run
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, read_run
from tests.real_jobs import folders, rewrite, wait_for
from tests.reliability.report import Tally

PRESSES = {"resume": resume_run, "delete": delete_run}


def press_both(run: TrainingRun, first: str) -> dict[str, str]:
    """Presses both in the same moment; returns what each was told, empty if it was done."""
    told = dict[str, str]()
    gate = threading.Barrier(2)

    def press(name: str) -> None:
        gate.wait()
        try:
            PRESSES[name](run)
            told[name] = ""
        except RunError as error:
            told[name] = str(error)

    threads = [threading.Thread(target=press, args=(n,)) for n in sorted(PRESSES, key=first.__ne__)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_one_wins_and_the_other_says_so(runs: Path, finished: Path, tally: Tally) -> None:
    times, good = tally.times(4, 40), 0
    run_dir = runs / finished.name
    for number in range(times):
        shutil.copytree(finished, run_dir)
        rewrite(run_dir, "status.json", outcome="stopped")
        told = press_both(read_run(run_dir, TrainingRun), ("resume", "delete")[number % 2])
        assert sorted(map(bool, told.values())) == [False, True], told
        if told["resume"]:
            assert "was deleted in the meantime" in told["resume"]
        else:
            assert "Stop it before deleting it" in told["delete"]
            wait_for(run_dir, RunState.COMPLETED)
            delete_run(read_run(run_dir))
        good += folders(runs) == set()
    tally.note("R1", "Resume and Delete in the same moment: one wins, nothing is left", good, times)
