"""What starts beside a training leaves it some cores."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch

from cifar_core.explain.gradcam import cam_maps
from cifar_core.models import create_model
from cifar_core.system.locks import device_lock
from cifar_core.system.threads import reduced_threads
from tests.builders import smooth_noise


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
            with reduced_threads():
                assert torch.get_num_threads() == (beside if held else threads)
            assert torch.get_num_threads() == threads
            lock.release()
    finally:
        torch.set_num_threads(before)


def test_maps_of_many_leave_room_one_after_the_other(own_cache: Path) -> None:
    """Each would else take the half of another for all there is, and give that back."""
    seen: list[int] = []
    model = create_model("convnet")
    model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with device_lock("cpu"), ThreadPoolExecutor(3) as threads:
            ask = partial(cam_maps, model, smooth_noise(1), "layer2", [0])
            for future in [threads.submit(ask) for _ in range(12)]:
                future.result()
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(torch.get_num_threads).result() == 4
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {2}


def test_a_training_on_a_gpu_takes_no_cores(own_cache: Path) -> None:
    before = torch.get_num_threads()
    with device_lock("cuda:0"), reduced_threads():
        assert torch.get_num_threads() == before


def test_without_a_cache_nobody_has_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_CACHE", str(tmp_path / "file"))
    (tmp_path / "file").touch()
    before = torch.get_num_threads()
    with reduced_threads():
        assert torch.get_num_threads() == before
