"""A process is its pid and its start: gone, a zombie, or another of the same pid is not it."""

import os
import subprocess
import sys
from dataclasses import replace

import psutil

from cifar_core.system.process_identity import (
    ProcessIdentity,
    find_process,
    identity_of,
    own_identity,
)
from tests.waiting import LIMIT_S, wait_until


def test_our_own_identity_is_that_of_a_live_process() -> None:
    process = find_process(own_identity())
    assert process is not None
    assert process.pid == os.getpid()


def test_another_start_is_another_process() -> None:
    own = own_identity()
    for seconds in (-60, -1.1, 1.1, 60):
        assert find_process(replace(own, create_time=own.create_time + seconds)) is None
    assert find_process(replace(own, create_time=own.create_time + 0.5)) is not None


def test_a_zombie_and_what_is_gone_are_found_no_more() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    identity = identity_of(process.pid)
    assert find_process(identity) is not None
    process.kill()
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    assert find_process(identity) is None
    process.communicate(timeout=LIMIT_S)
    assert find_process(identity) is None
    assert identity_of(process.pid) == ProcessIdentity(process.pid, 0.0)


def test_nobody_and_pids_that_no_system_has_are_nobody() -> None:
    assert find_process(None) is None
    for pid in (2**31 - 1, 2**40, 2**53):
        assert find_process(ProcessIdentity(pid, 0.0)) is None
