"""The command lines that repeat a run; the only place where they are made."""

import shlex
from typing import Any

from cifar_core.augment.presets import PRESETS
from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.train import TrainConfig
from cifar_core.runs.store import TrainingRun

NUM_WORST = 20  # errors that a report shows
NAME_LENGTH = 54  # of a run's name, so that " again" fits within the 60 that are accepted


def reproducibility(run: TrainingRun) -> str:
    """How exactly the commands repeat the run."""
    if run.request.extends:
        return (
            "This run extends another run; the commands train all epochs at once: results differ."
        )
    if run.status.runtime is None or run.status.runtime.device != "cpu":
        return "Same settings and seed; on a GPU, results may differ slightly."
    return "Same settings and seed: identical results on the same machine and versions."


def train_command(config: TrainConfig, name: str = "") -> str:
    """The command line, quoted for a POSIX shell, that trains with these settings.

    Args:
        config: Only what differs from the defaults is written.
        name: Of the new run; empty lets the command choose a free one.
    """
    plain = TrainConfig()
    given = {"name": name} if name else {}
    for field in TrainConfig.model_fields:
        value = getattr(config, field)
        if value != getattr(plain, field):
            given[field.replace("_", "-")] = _text(field, value)
    return _line("train", *(word for option in given.items() for word in _option(*option)))


def repeat_commands(config: TrainConfig, name: str, checkpoint: str = "best") -> str:
    """The command lines that train the same again, evaluate it and draw its errors.

    Args:
        config: Settings of the run.
        name: Of the run; the new one is called that, and "again".
        checkpoint: "best", "last", or a name.
    """
    again = f"{name[:NAME_LENGTH].strip()} again"
    chosen = [] if checkpoint == "best" else ["--checkpoint", checkpoint]
    return "\n".join(
        [
            train_command(config, again),
            _line("evaluate", again, *chosen),
            _line("explain", again, *chosen, "--worst", str(NUM_WORST), "--out", "maps.png"),
            _line("report", again, *chosen),
        ]
    )


def checkpoint_option(checkpoint: Checkpoint) -> str:
    """How a command names it in another run: steps are the same there."""
    return checkpoint.role if checkpoint.role in ("best", "last") else checkpoint.name


def _line(*words: str) -> str:
    return shlex.join(["python", "-m", "cifar_core", *words])


def _option(name: str, value: str) -> list[str]:
    """An option and its value; in one word where the value would be read as an option."""
    return [f"--{name}={value}"] if value.startswith("-") else [f"--{name}", value]


def _text(field: str, value: Any) -> str:
    """A setting as the command line takes it."""
    if field != "augment":
        return str(value)
    named = [name for name, spec in PRESETS.items() if spec == value]
    return named[0] if named else value.model_dump_json()
