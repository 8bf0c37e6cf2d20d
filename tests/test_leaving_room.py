"""What starts beside a training leaves it some cores."""

from pathlib import Path

import pytest
import torch

from cifar_core.turns import device_lock, leaving_room


@pytest.mark.parametrize(("threads", "beside"), [(1, 1), (2, 1), (5, 2)])
def test_half_the_threads_are_left_to_whoever_has_the_cpu(
    own_cache: Path, threads: int, beside: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for held in (False, True, False):
            lock = device_lock("cpu")
            if held:
                lock.acquire()
            with leaving_room():
                assert torch.get_num_threads() == (beside if held else threads)
            assert torch.get_num_threads() == threads
            lock.release()
    finally:
        torch.set_num_threads(before)


def test_a_training_on_a_gpu_takes_no_cores(own_cache: Path) -> None:
    before = torch.get_num_threads()
    with device_lock("cuda:0"), leaving_room():
        assert torch.get_num_threads() == before


def test_without_a_cache_nobody_has_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    before = torch.get_num_threads()
    with leaving_room():
        assert torch.get_num_threads() == before
