"""What is checked before a start: device, data, batch size, and the weights to start from."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.data import open_dataset
from cifar_core.errors import CheckpointError, CifarCoreError, ConfigError, RunError
from cifar_core.forecast.disk_space import MARGIN, bytes_to_come
from cifar_core.jobs.launch_checks import check_config, check_disk
from cifar_core.runs.lifecycle import create_run
from cifar_core.runs.requests import TrainRequest
from cifar_core.system.files import write_json
from tests.real_jobs import ago, rewrite, small


def test_what_the_worker_will_use_is_known_before_it_starts(runs: Path) -> None:
    open_dataset("shapes10")
    config, details = check_config(runs, small())
    assert config == small()
    assert details["device"] == "cpu"
    assert details["data_title"] == "Shapes-10"
    assert len(details["fingerprint"]) == 32


@pytest.mark.parametrize("by", ["name", "id", "folder"])
def test_weights_become_the_folder_of_their_checkpoint(copied: Path, by: str) -> None:
    checkpoint = find_checkpoint(copied)
    given = {"name": "first", "id": copied.name, "folder": str(checkpoint.path)}[by]
    config, _ = check_config(copied.parent, small(weights=given))
    assert config.weights == str(checkpoint.path)


def test_weights_that_will_not_do_are_named(copied: Path) -> None:
    with pytest.raises(CifarCoreError, match="nobody"):
        check_config(copied.parent, small(weights="nobody"))
    with pytest.raises(ConfigError, match=r"those of a convnet, not of a resnet18"):
        check_config(copied.parent, small(model="resnet18", weights="first"))
    weights = find_checkpoint(copied).path / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        check_config(copied.parent, small(weights="first"))


def test_a_batch_larger_than_the_training_images_is_refused(runs: Path) -> None:
    check_config(runs, small(train_size=96, batch_size=96))
    with pytest.raises(ConfigError, match=r"batch_size = 97 is more than the 96 training images"):
        check_config(runs, small(train_size=96, batch_size=97))


def test_a_gpu_that_is_not_there_is_named(runs: Path) -> None:
    with pytest.raises(CifarCoreError, match="cuda:63"):
        check_config(runs, small(device="cuda:63"))


def test_what_others_will_still_write_is_not_free(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for two runs and a half: the third is refused, until one of the others has ended."""
    config = small()
    usage, free = shutil.disk_usage(runs.parent), int(2.5 * bytes_to_come(config)) + MARGIN
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free))
    waiting = []
    for _ in range(2):
        check_disk(runs, config)
        waiting.append(create_run(runs, partial(TrainRequest, config=config, device="cpu")))
    with pytest.raises(RunError, match="of it for queued and running runs"):
        check_disk(runs, config)
    write_json(waiting[0] / "status.json", {"outcome": "stopped"})
    check_disk(runs, config)
    (waiting[0] / "status.json").unlink()
    rewrite(waiting[0], created=ago(100))  # nobody came for it
    check_disk(runs, config)
