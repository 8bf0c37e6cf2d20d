"""Every state of a run, from the real circumstances that make it."""

import signal
from pathlib import Path

import psutil
import pytest

from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import read_run
from cifar_core.system.files import read_json, write_json
from cifar_core.system.locks import is_locked
from cifar_core.system.process_identity import find_process
from tests.real_jobs import ago, held, new_run, rewrite
from tests.waiting import LIMIT_S, wait_until


def state_of(path: Path) -> RunState:
    return read_run(path).state


def test_a_request_without_a_worker_is_queued_while_it_is_young(runs: Path) -> None:
    assert state_of(new_run(runs)) is RunState.QUEUED
    assert state_of(new_run(runs, created=ago(20))) is RunState.QUEUED


def test_a_request_without_a_worker_is_interrupted_when_it_is_old(runs: Path) -> None:
    run = read_run(new_run(runs, created=ago(40)))
    assert run.state is RunState.INTERRUPTED
    assert "never started" in run.reason


@pytest.mark.parametrize(
    ("phase", "stop", "state"),
    [
        ("queued", False, RunState.QUEUED),
        ("queued", True, RunState.QUEUED),
        ("starting", False, RunState.RUNNING),
        ("running", False, RunState.RUNNING),
        ("running", True, RunState.STOPPING),
    ],
)
def test_a_live_worker_is_in_its_phase_until_it_is_killed(
    runs: Path, phase: str, stop: bool, state: RunState
) -> None:
    path = new_run(runs, created=ago(1000))
    with held(path, phase) as process:
        assert state_of(path).is_active
        if stop:
            request_stop(read_run(path))
        assert state_of(path) is state
        assert is_locked(path / "worker.lock")
        process.send_signal(signal.SIGKILL)
        process.wait(LIMIT_S)
        run = read_run(path)
    assert run.state is RunState.INTERRUPTED
    assert "disappeared" in run.reason
    assert not is_locked(path / "worker.lock")


def test_the_exit_record_wins_over_a_live_worker(runs: Path) -> None:
    path = new_run(runs)
    with held(path, "running"):
        for outcome in ("completed", "stopped", "failed"):
            rewrite(path, "status.json", outcome=outcome, reason=f"it {outcome}")
            run = read_run(path)
            assert (run.state, run.reason) == (RunState(outcome), f"it {outcome}")
            assert not run.state.is_active


def test_a_lock_alone_or_an_identity_alone_is_a_sign_of_life(runs: Path) -> None:
    path = new_run(runs, created=ago(1000))
    with held(path, "running"):
        status = read_json(path / "status.json") or {}
        write_json(path / "status.json", {"phase": "running"})
        assert state_of(path) is RunState.RUNNING
        write_json(path / "status.json", status)
        (path / "worker.lock").unlink()
        assert state_of(path) is RunState.RUNNING


def test_a_zombie_is_not_alive(runs: Path) -> None:
    path = new_run(runs, created=ago(1000))
    with held(path, "running") as process:
        identity = read_run(path).status.worker
        process.send_signal(signal.SIGKILL)  # and nobody waits for it
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
        assert find_process(identity) is None
        assert state_of(path) is RunState.INTERRUPTED


def test_a_pid_that_now_belongs_to_another_process_is_not_alive(runs: Path) -> None:
    path = new_run(runs, created=ago(1000))
    with held(path, "running"):
        worker = read_run(path).status.worker
        (path / "worker.lock").unlink()
        assert state_of(path) is RunState.RUNNING
        rewrite(
            path, "status.json", worker={"pid": worker.pid, "create_time": worker.create_time - 60}
        )
        assert state_of(path) is RunState.INTERRUPTED


def test_a_worker_of_before_the_last_boot_fell_with_the_machine(runs: Path) -> None:
    path = new_run(runs, created=ago(1000))
    worker = {"pid": 2**31 - 1, "create_time": psutil.boot_time() - 3600}
    write_json(path / "status.json", {"phase": "running", "worker": worker})
    run = read_run(path)
    assert run.state is RunState.INTERRUPTED
    assert "machine was restarted" in run.reason
