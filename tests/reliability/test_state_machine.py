"""Whatever happens, in whatever order, and whenever the worker dies: only legal states follow."""

import contextlib
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers, sampled_from

from cifar_core.checkpoints.checkpoint import list_checkpoints
from cifar_core.errors import CifarCoreError
from cifar_core.jobs import context, launch, worker
from cifar_core.jobs.launch import resume_run
from cifar_core.jobs.tasks import train as job
from cifar_core.records.records import read_metrics
from cifar_core.runs.lifecycle import create_run, request_stop
from cifar_core.runs.requests import TrainRequest
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, read_run
from cifar_core.system import files, json_files
from cifar_core.system.files import read_json
from cifar_core.system.process_identity import ProcessIdentity
from cifar_core.training import checkpointing
from tests.real_jobs import rewrite
from tests.reliability.plain import make_plain, plain_config, value_of
from tests.reliability.report import Tally

Q, R, S = RunState.QUEUED, RunState.RUNNING, RunState.STOPPING
ENDS = {RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED}
LEGAL = {
    Q: {Q, R, S, *ENDS},
    R: {R, S, *ENDS},
    S: {S, *ENDS},
    **{end: {end} for end in ENDS},  # only a resume, which the machine knows of, leads out
}
CONFIG = plain_config(epochs=3, step_s=0.0)
NOBODY = ProcessIdentity(2**22 + 5, 1.0)  # a pid that Linux never gives


class Crash(BaseException):
    """kill -9, at a write."""


class Observer:
    """Looks at a run after every write; lets its worker die at one of them.

    Attributes:
        dies_in: Writes until the worker dies; None: it lives.
        sequences, steps: How much was seen in all.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.run_dir: Path | None = None
        self.state = Q
        self.dies_in: int | None = None
        self.terminate_in: int | None = None
        self.sequences = self.steps = 0
        self.held: list[FileLock] = []
        write_atomic, write = files.write_atomic, worker.os.write

        def watched_atomic(path: Path, content: bytes) -> None:
            write_atomic(path, content)
            self.wrote()

        def watched_write(handle: int, data: bytes) -> int:
            written = write(handle, data)
            self.wrote()
            return written

        for module in (files, json_files, checkpointing):
            patch.setattr(module, "write_atomic", watched_atomic)
        patch.setattr(worker, "FileLock", self.hold)
        patch.setattr(context, "os", Replaced(context.os, write=watched_write))
        patch.setattr(files.os, "fsync", lambda handle: None)

    def hold(self, path: Path) -> FileLock:
        """A lock that is let go when its worker is dead."""
        self.held.append(FileLock(path))
        return self.held[-1]

    def wrote(self) -> None:
        """After a write: what a page would show now, and perhaps the end."""
        self.look()
        if self.terminate_in is not None:
            self.terminate_in -= 1
            if self.terminate_in == 0:
                signal.raise_signal(signal.SIGTERM)
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in <= 0:
                raise Crash

    def look(self) -> None:
        """The state now has to follow from the one seen before."""
        if self.run_dir is None or not self.run_dir.exists():
            return
        now = read_run(self.run_dir).state
        assert now in LEGAL[self.state], f"{self.state} became {now}"
        self.state = now


class Replaced:
    """A module with some of its functions replaced."""

    def __init__(self, module: Any, **functions: Any) -> None:
        self.__dict__.update({**vars(module), **functions})


class Lives(RuleBasedStateMachine):
    """One run, its workers, and all that people do to it."""

    observer: Observer
    root: Path

    @initialize()
    def begin(self) -> None:
        self.observer.run_dir = None
        self.observer.dies_in = self.observer.terminate_in = None  # of a sequence that failed
        request = partial(TrainRequest, config=CONFIG, device="cpu")
        root = self.root / str(self.observer.sequences)  # no run has to wait for another one
        self.run_dir = create_run(root, request)
        self.observer.run_dir, self.observer.state = self.run_dir, Q
        self.observer.sequences += 1
        self.waiting = True  # the launcher's process has not begun yet
        launch.start_worker(self.run_dir)

    def teardown(self) -> None:
        self.observer.run_dir = None

    def work(self) -> None:
        """A worker from its start to its end or its death."""
        with contextlib.suppress(Crash):
            worker.main(self.run_dir)
        for lock in self.observer.held:  # as the system does for a dead process
            lock.release(force=True)
        self.observer.held.clear()
        self.waiting = False
        self.observer.dies_in = self.observer.terminate_in = None

    @rule()
    def look(self) -> None:
        self.observer.steps += 1
        self.observer.look()

    @precondition(lambda self: self.waiting)
    @rule(dies_in=integers(1, 80))
    def work_and_die(self, dies_in: int) -> None:
        self.observer.dies_in = dies_in
        self.work()
        self.look()

    @precondition(lambda self: self.waiting)
    @rule()
    def work_to_the_end(self) -> None:
        self.work()
        self.look()
        assert not self.observer.state.is_active

    @precondition(lambda self: self.waiting)
    @rule(after=integers(1, 60))
    def terminate(self, after: int) -> None:
        self.observer.terminate_in = after
        self.work()
        self.look()

    @rule()
    def stop(self) -> None:
        with contextlib.suppress(CifarCoreError):
            request_stop(read_run(self.run_dir))
        self.look()

    @rule()
    def resume(self) -> None:
        run = read_run(self.run_dir, TrainingRun)
        try:
            self.observer.state = Q if run.state.can_resume else self.observer.state
            resume_run(run)
            self.waiting = True
        except CifarCoreError:
            assert not run.state.can_resume
        self.look()

    @rule(seconds=sampled_from([1.0, 100.0, 1e6]))
    def time_passes(self, seconds: float) -> None:
        """Everything noted is so much older; where nobody holds the run, it may be given up."""
        start, status = (read_json(self.run_dir / f"{n}.json") or {} for n in ("start", "status"))
        self.waiting = self.waiting and seconds < 10
        self.observer.run_dir = None  # time passes for both files at once
        rewrite(self.run_dir, "start.json", requested=start["requested"] - seconds)
        for name in ("updated", "ended"):
            if status.get(name) is not None:
                rewrite(self.run_dir, "status.json", **{name: status[name] - seconds})
        self.observer.run_dir = self.run_dir
        self.look()

    @rule()
    def what_is_said_is_there(self) -> None:
        """Epochs once and in order; what the status speaks of is whole on disk."""
        run = read_run(self.run_dir)
        epochs = [e.epoch for e in read_metrics(self.run_dir / "metrics.jsonl").epochs]
        assert epochs == list(range(1, len(epochs) + 1))
        kept = {c.step: value_of(c) for c in list_checkpoints(self.run_dir, "last")}
        for role in ("last", "best"):
            if said := getattr(run.status, role):
                steps = kept if role == "last" else steps_of(self.run_dir, role)
                assert max(steps) >= said.step
        if run.state is RunState.COMPLETED:
            assert epochs == [1, 2, 3]
            assert max(kept) == 12


def steps_of(run_dir: Path, role: str) -> list[int]:
    return [c.step for c in list_checkpoints(run_dir, role)]


@pytest.fixture
def observer(monkeypatch: pytest.MonkeyPatch, places: Path) -> Iterator[Observer]:
    """The worker runs in this process, so that only its lock is a sign of its life."""
    make_plain(monkeypatch)
    found = Observer(monkeypatch)
    monkeypatch.setattr(context, "own_identity", lambda: NOBODY)
    monkeypatch.setattr(worker, "_watch", lambda run_dir: None)
    monkeypatch.setattr(worker.faulthandler, "enable", lambda: None)
    monkeypatch.setattr(job, "peak_memory", lambda device: 1)
    monkeypatch.setattr(launch, "start_worker", start_nobody)
    handler = signal.getsignal(signal.SIGTERM)
    yield found
    signal.signal(signal.SIGTERM, handler)


def start_nobody(run_dir: Path) -> None:
    """What a launcher writes; the process itself begins when the machine says so."""
    files.write_json(run_dir / "start.json", {"requested": time.time()})


def test_only_legal_changes_of_state(observer: Observer, places: Path, tally: Tally) -> None:
    class InThisPlace(Lives):
        pass

    InThisPlace.observer, InThisPlace.root = observer, places / "runs"
    examples, steps = tally.times(40, 2000), tally.times(20, 50)
    run_state_machine_as_test(
        InThisPlace,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    what = (
        f"sequences of {steps} steps (Hypothesis), the worker dies at any write: only legal states"
    )
    tally.note("R8", what, observer.sequences, max(observer.sequences, examples))
