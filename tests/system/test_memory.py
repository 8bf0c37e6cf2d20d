"""Memory: what is left, and the note that tells why a worker was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from cifar_core.system import memory
from cifar_core.system.memory import Memory, low_memory, memory_now, note_memory

GB = 10**9


def test_some_memory_is_left_of_what_there_is() -> None:
    now = memory_now()
    assert 0 < now.left < now.total


def test_a_container_with_less_left_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text("max\n")
    machine = memory_now().total
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 600\ninactive_file 300\n")
    assert memory_now() == Memory(left=400, total=1000)
    (tmp_path / "memory.max").write_text("999999999999999\n")
    assert memory_now().total == machine


def test_it_is_noted_only_while_it_is_little(tmp_path: Path) -> None:
    note_memory(tmp_path / "memory.json", Memory(5 * GB, 10 * GB))
    assert list(tmp_path.iterdir()) == []
    note_memory(tmp_path / "memory.json", Memory(GB // 2, 10 * GB))
    assert low_memory(tmp_path / "memory.json", since=0.0) == Memory(GB // 2, 10 * GB)
    assert low_memory(tmp_path / "memory.json", since=4e9) is None, "of an earlier worker"
    note_memory(tmp_path / "memory.json", Memory(5 * GB, 10 * GB))
    assert low_memory(tmp_path / "memory.json", since=0.0) is None


def test_a_process_had_at_least_what_it_has() -> None:
    assert memory.peak_memory("cpu") >= memory.resident_memory() * 0.9 > 10**7


def test_a_peak_is_that_of_this_process_and_not_of_who_started_it() -> None:
    """`getrusage` of a child begins with its parent's, which may be the app with torch in it."""
    ballast = b"x" * 400_000_000
    command = "from cifar_core.system.memory import peak_memory; print(peak_memory('cpu'))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, check=True)
    assert len(ballast) < memory.peak_memory("cpu")
    assert int(done.stdout) < len(ballast)
