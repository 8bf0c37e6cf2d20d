"""A process is its pid and its start: gone, a zombie, or another of the same pid is not it."""

import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from cifar_core.system.process_identity import (
    BOOT_ID,
    ProcessIdentity,
    find_process,
    identity_of,
    is_of_earlier_boot,
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
        created, since_boot = own.create_time + seconds, own.since_boot + max(seconds, 0) + 1
        other = replace(own, create_time=created, since_boot=since_boot)
        assert find_process(other) is None
        assert find_process(replace(own, create_time=created, boot="")) is None
        assert find_process(replace(own, create_time=created, boot="another")) is None
    assert find_process(replace(own, create_time=own.create_time + 0.5)) is not None


@pytest.mark.skipif(not BOOT_ID.exists(), reason="only Linux names its boots")
def test_setting_the_clock_makes_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system then says another time of every start, and of its own."""
    own, booted = own_identity(), psutil.boot_time()
    for seconds in (-600.0, 600.0):
        monkeypatch.setattr("psutil._psplatform.boot_time", lambda s=seconds: booted + s)
        assert identity_of(own.pid).create_time == pytest.approx(own.create_time + seconds)
        assert find_process(own) is not None
        assert not is_of_earlier_boot(own)
    assert is_of_earlier_boot(replace(own, boot="another"))


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
