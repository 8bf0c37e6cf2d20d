"""Locks: one holder at a time, released when it dies, asked about without taking them."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import Timeout

from cifar_core.errors import RunError
from cifar_core.system.locks import device_lock, device_lock_path, exclusive, is_locked
from tests.another_user import as_nobody
from tests.waiting import LIMIT_S, wait_until

HOLD = """
import sys, time
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print(1, flush=True)
time.sleep(600)
"""


def holder_of(path: Path) -> "subprocess.Popen[bytes]":
    """A process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    return process


def test_a_lock_is_seen_while_its_holder_lives_and_free_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    with holder_of(path) as process:
        assert is_locked(path)
        assert is_locked(path), "asking does not take it"
        process.send_signal(signal.SIGKILL)
        process.wait(LIMIT_S)
    wait_until(lambda: not is_locked(path))


def test_asking_whether_a_file_is_locked_neither_makes_nor_takes_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "missing.lock")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "free.lock").touch()
    assert not is_locked(tmp_path / "free.lock")
    assert not is_locked(tmp_path / "free.lock")


def test_each_device_has_a_lock_of_its_own_that_others_wait_for(own_cache: Path) -> None:
    assert device_lock_path("cuda:1") == own_cache / "locks" / "cuda-1.lock"
    locked = Path(device_lock("cpu").lock_file)
    assert locked == device_lock_path("cpu")
    with holder_of(locked) as process:
        with pytest.raises(Timeout):
            device_lock("cpu").acquire(timeout=0)
        with device_lock("cuda:1").acquire(timeout=0):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(LIMIT_S)
    with device_lock("cpu").acquire(timeout=LIMIT_S):
        assert is_locked(device_lock_path("cpu"))


def test_exclusive_makes_the_folder_and_lets_go_whatever_happens(tmp_path: Path) -> None:
    root = tmp_path / "new" / "runs"

    def fail_inside() -> None:
        with exclusive(root, "names"), exclusive(root, "drafts"):
            assert is_locked(root / ".names.lock")
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail_inside()
    assert not is_locked(root / ".names.lock")
    with exclusive(root, "names"):
        pass


def test_a_folder_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be written .*--runs"):
        exclusive(tmp_path / "file" / "runs", "names").__enter__()
    monkeypatch.setenv("CIFAR_CACHE", os.fspath(tmp_path / "file" / "cache"))
    with pytest.raises(RunError, match=r"cannot be written .*CIFAR_CACHE"):
        device_lock("cpu")


def test_the_lock_of_another_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as name:  # the folders of pytest are closed to others
        Path(name).chmod(0o755)
        monkeypatch.setenv("CIFAR_CACHE", name)
        with device_lock("cpu"):
            pass
        device_lock_path("cpu").chmod(0o444)
        with as_nobody(), pytest.raises(RunError, match=r"cannot be written.*Set CIFAR_CACHE"):
            device_lock("cpu")
