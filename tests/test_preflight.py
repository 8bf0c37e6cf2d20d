"""Pre-flight: how fast a config runs here, and for which others that holds."""

from pathlib import Path
from typing import Any

import pytest

from cifar_core import preflight, runtime
from cifar_core.augment import PRESETS
from cifar_core.config import TrainConfig, make_config
from cifar_core.errors import ConfigError


def quick(**changes: Any) -> TrainConfig:
    return make_config({"model": "convnet", "batch_size": 16, "device": "cpu", **changes})


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("changes", [{}, {"ema": 0.9, "l1": 1e-5, "val_size": 0, "epochs": 1}])
def test_a_measurement_gives_speeds_and_a_time(changes: dict[str, Any]) -> None:
    config = quick(**changes)
    speed = preflight.measure(config)
    assert min(speed.train, speed.evaluate, speed.device) > 0
    assert 0 <= speed.waiting < 1
    assert 5e7 < speed.memory_bytes < 5e10
    assert preflight.known_speed(config) is None, "measuring alone notes nothing"


def test_a_config_that_cannot_run_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cpu_bf16_instructions", lambda: "")
    with pytest.raises(ConfigError):
        preflight.measure(quick(precision="bf16"))


@pytest.mark.parametrize(
    "changes", [{"epochs": 7}, {"lr": 0.3}, {"seed": 5}, {"val_size": 0}, {"schedule": "cosine"}]
)
def test_a_speed_is_good_for_configs_that_differ_in_what_costs_nothing(
    changes: dict[str, Any],
) -> None:
    assert preflight.note_path(quick(**changes)) == preflight.note_path(quick())


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "sepnet_v1"},
        {"batch_size": 32},
        {"augment": PRESETS["cutout"]},
        {"precision": "fp32"},
        {"memory_format": "contiguous"},
        {"ema": 0.9},
        {"optimizer": "adamw"},
        {"num_workers": 0},
    ],
    ids=str,
)
def test_a_speed_is_not_that_of_configs_that_cost_more_or_less(changes: dict[str, Any]) -> None:
    assert preflight.note_path(quick(**changes)) != preflight.note_path(quick())


def test_a_note_is_read_again(own_cache: Path) -> None:
    config = quick()
    note = preflight.note_path(config)
    note.parent.mkdir(parents=True)
    assert preflight.known_speed(config) is None
    note.write_text('{"train": 100, "evaluate": 900, "device": 125, "memory_bytes": 5}')
    assert preflight.known_speed(config) == preflight.Speed(100, 900, 125, 5)
    assert preflight.failure(config) == ""
    note.write_text('{"error": "It is too large."}')
    assert preflight.known_speed(config) is None
    assert preflight.failure(config) == "It is too large."
    note.write_text('{"train": 100.0, "evaluate": 900.0}')  # of a version that measured less
    assert preflight.known_speed(config) is None
    note.write_text("{")
    assert preflight.known_speed(config) is None
    assert preflight.failure(config) == ""
