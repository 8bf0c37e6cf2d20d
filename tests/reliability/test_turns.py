"""One job per device at a time, in order; a lock dies with its holder."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest

from cifar_core.jobs.launch import launch_training
from cifar_core.jobs.queue import queue_position
from cifar_core.records.records import read_metrics
from cifar_core.runs.lifecycle import request_stop
from cifar_core.runs.states import RunState
from cifar_core.runs.store import read_run
from cifar_core.system.files import read_json
from cifar_core.system.locks import device_lock
from tests.real_jobs import wait_for
from tests.reliability.plain import plain_config
from tests.reliability.report import Tally
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("plain")
ENDLESS = plain_config(epochs=2000, step_s=0.01)


def states(run_dirs: list[Path]) -> list[RunState]:
    return [read_run(run_dir).state for run_dir in run_dirs]


def is_training(run_dir: Path) -> bool:
    """Whether it has epochs before it; when all are done, it lets the device go, then it ends."""
    running = read_run(run_dir).state is RunState.RUNNING
    return running and len(read_metrics(run_dir / "metrics.jsonl").epochs) < 4


def span_of(run_dir: Path) -> tuple[float, float]:
    """When a training got the device, and when its last epoch was recorded."""
    started = read_run(run_dir).status.started or 0.0
    return started, started + read_metrics(run_dir / "metrics.jsonl").epochs[-1].elapsed_s


def test_jobs_run_one_at_a_time_in_the_order_they_were_started(runs: Path, tally: Tally) -> None:
    times = tally.times(5, 20)
    run_dirs = [launch_training(runs, plain_config(epochs=4, step_s=0.02)) for _ in range(times)]
    samples = crowded = 0
    while (now := states(run_dirs)) != [RunState.COMPLETED] * times:
        # The last one first: those before it are then looked at later, when they should have ended.
        training = [run_dir for run_dir in reversed(run_dirs) if is_training(run_dir)]
        samples, crowded = samples + 1, crowded + (len(training) > 1)
        assert RunState.FAILED not in now
        time.sleep(0.03)
    spans = [span_of(run_dir) for run_dir in run_dirs]
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(spans)), spans
    what = f"{times} jobs on one device, sampled every 30 ms: never two at once, in order"
    tally.note("R10", what, samples - crowded, samples)


def test_those_who_wait_know_their_place_and_can_leave(runs: Path) -> None:
    first, *waiting = [launch_training(runs, ENDLESS) for _ in range(5)]
    wait_for(first, RunState.RUNNING)
    assert [queue_position(run_dir) for run_dir in waiting] == [0, 1, 2, 3]
    assert states(waiting) == [RunState.QUEUED] * 4
    request_stop(read_run(waiting[1]))
    wait_for(waiting[1], RunState.STOPPED)
    assert [queue_position(waiting[n]) for n in (0, 2, 3)] == [0, 1, 2]
    request_stop(read_run(first))
    wait_for(waiting[0], RunState.RUNNING)


def test_a_killed_holder_leaves_no_stuck_queue(runs: Path, tally: Tally) -> None:
    times, good, longest_s = tally.times(5, 100), 0, 0.0
    run_dirs = [launch_training(runs, ENDLESS), launch_training(runs, ENDLESS)]
    for _ in range(times):
        holder, follower = run_dirs[-2:]
        wait_for(holder, RunState.RUNNING)
        run_dirs.append(launch_training(runs, ENDLESS))
        os.kill((read_json(holder / "status.json") or {})["worker"]["pid"], signal.SIGKILL)
        killed_at = time.monotonic()
        good += wait_for(follower, RunState.RUNNING).state is RunState.RUNNING
        longest_s = max(longest_s, time.monotonic() - killed_at)
    what = f"kill -9 of the job that holds the device: the next job runs (after {longest_s:.1f} s)"
    tally.note("R10", what, good, times)


def test_a_killed_job_in_the_queue_holds_nobody_up(runs: Path) -> None:
    first, second, third = [launch_training(runs, ENDLESS) for _ in range(3)]
    wait_for(first, RunState.RUNNING)
    wait_for(second, RunState.QUEUED)
    worker = wait_until(lambda: (read_json(second / "status.json") or {}).get("worker"))
    os.kill(worker["pid"], signal.SIGKILL)
    wait_for(second, RunState.INTERRUPTED)
    assert queue_position(third) == 0
    request_stop(read_run(first))
    wait_for(third, RunState.RUNNING)
    assert not device_lock("cuda:7").is_locked
