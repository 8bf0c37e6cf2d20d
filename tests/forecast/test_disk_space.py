"""What a run occupies, by hand; what will not fit is refused with the volume and the figures."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cifar_core.config.train import make_config
from cifar_core.errors import RunError
from cifar_core.forecast.disk_space import (
    EPOCH_BYTES,
    MARGIN,
    check_space,
    resumable_bytes,
    run_bytes,
    weight_bytes,
)
from cifar_core.models import create_model


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"momentum": 0.0}, 1),  # the weights alone
        ({"momentum": 0.9}, 2),  # and a momentum of each
        ({"optimizer": "adamw"}, 3),  # and two moments
        ({"optimizer": "adamw", "ema": 0.99}, 4),  # and the raw weights
    ],
)
def test_a_resumable_checkpoint_holds_the_optimizers_values(
    changes: dict[str, Any], times: int
) -> None:
    config = make_config({"model": "convnet", **changes})
    assert resumable_bytes(config) == times * weight_bytes(config)


def test_weights_take_what_their_float32_values_take() -> None:
    state = create_model("convnet").state_dict().values()
    values = sum(tensor.numel() * tensor.element_size() for tensor in state)
    assert weight_bytes(make_config({"model": "convnet"})) == pytest.approx(values, rel=0.02)


def test_a_run_is_two_last_ones_the_best_the_kept_epochs_and_their_tables() -> None:
    config = make_config({"model": "convnet", "epochs": 8, "keep_epochs": 4})
    assert config.checkpoint_epochs == (1, 2, 4, 8)
    weights = weight_bytes(config)
    assert run_bytes(config) == 2 * 2 * weights + 5 * weights + 8 * EPOCH_BYTES
    without = make_config({**config.model_dump(), "val_size": 0, "keep_epochs": 0})
    assert run_bytes(without) == 2 * 2 * weights + 8 * EPOCH_BYTES


def test_room_for_all_and_one_checkpoint_more_is_enough_and_a_byte_less_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config({"model": "convnet"})
    needed = run_bytes(config) + resumable_bytes(config) + MARGIN
    usage = shutil.disk_usage(tmp_path)

    def with_free(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free))

    with_free(needed)
    check_space(tmp_path / "not" / "there yet", config)
    with_free(needed - 1)
    with pytest.raises(RunError, match=r"MB free, but this run needs .* MB there\. Delete runs"):
        check_space(tmp_path, config)
    check_space(tmp_path, config, written=1)
    with_free(needed + 500)
    check_space(tmp_path, config, promised=500)
    with pytest.raises(RunError, match=r"free, 0 MB of it for queued and running runs, but this"):
        check_space(tmp_path, config, promised=501)
