"""The command lines that repeat a run."""

import shlex
from typing import Any

from cifar_core.augment.presets import PRESETS
from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.train import TrainConfig
from cifar_core.runs.store import TrainingRun

NUM_WORST = 20  # errors that a report shows


def reproducibility(run: TrainingRun) -> str:
    """How exactly the commands repeat the run."""
    if run.request.extends:
        return "This run extends another one, which these lines train in one go: expect others."
    if run.status.runtime is None or run.status.runtime.device != "cpu":
        return "The same settings and seed; on a GPU the last bits of the figures may differ."
    return "The same settings and seed; the same figures on the same machine and versions."


def commands(config: TrainConfig, name: str, checkpoint: str = "best") -> str:
    """The command lines that train the same again, evaluate it and draw its errors.

    Args:
        checkpoint: "best", "last", or a name.
    """
    plain = TrainConfig()
    given = {
        field: _text(field, value)
        for field in TrainConfig.model_fields
        if (value := getattr(config, field)) != getattr(plain, field)
    }
    options = [part for field, text in given.items() for part in (f"--{_dashed(field)}", text)]
    named = f"{name[:54].strip()} again"
    again = shlex.quote(named) + ("" if checkpoint == "best" else f" --checkpoint {checkpoint}")
    lines = (
        f"train {shlex.join(['--name', named, *options])}",
        f"evaluate {again}",
        f"explain {again} --worst {NUM_WORST} --out maps.png",
        f"report {again}",
    )
    return "\n".join(f"python -m cifar_core {line}" for line in lines)


def checkpoint_option(checkpoint: Checkpoint) -> str:
    """How a command names it in another run: steps are the same there."""
    return checkpoint.role if checkpoint.role in ("best", "last") else checkpoint.name


def _dashed(field: str) -> str:
    return field.replace("_", "-")


def _text(field: str, value: Any) -> str:
    """A setting as the command line takes it."""
    if field != "augment":
        return str(value)
    named = [name for name, spec in PRESETS.items() if spec == value]
    return named[0] if named else value.model_dump_json()
