"""LRTestConfig: the settings of an LR test, in addition to those of the run it is for."""

from typing import Literal

from pydantic import model_validator

from cifar_core.config.base import Settings, setting

GROUP = "LR test"

# Settings of a run that an LR test ignores.
_SCHEDULE = ("lr", "epochs", "schedule", "pct_start", "step_epochs", "gamma")
UNUSED = frozenset([*_SCHEDULE, "compile", "ema", "keep_epochs", "tensorboard"])


class LRTestConfig(Settings):
    """The settings of an LR test, in addition to those of the run it is for."""

    start_lr: float = setting(
        1e-5, GROUP, "Learning rate of the first step.", gt=0, le=100, step=1e-5
    )
    end_lr: float = setting(10.0, GROUP, "Learning rate of the last step.", gt=0, le=100, step=1.0)
    num_steps: int = setting(
        100, GROUP, "Training steps between start LR and end LR.", ge=10, le=1000, step=10
    )
    num_seeds: int = setting(
        1,
        GROUP,
        "Repeat the test with this many seeds; the plot then shows the median and the range.",
        ge=1,
        le=3,
    )
    mode: Literal["exp", "linear"] = setting(
        "exp",
        GROUP,
        "exp multiplies the learning rate by a constant factor each step; linear adds a constant.",
    )
    smoothing: float = setting(
        0.05,
        GROUP,
        "Weight of the newest loss in the exponential moving average. Smaller values smooth more "
        "and lag more; 0 turns smoothing off.",
        ge=0,
        lt=1,
        step=0.05,
    )
    diverge_factor: float = setting(
        5.0,
        GROUP,
        "Stop once the smoothed loss exceeds its minimum by this factor.",
        gt=1,
        le=1000,
        step=1.0,
    )

    @model_validator(mode="after")
    def _check_range(self) -> "LRTestConfig":
        if self.end_lr <= self.start_lr:
            raise ValueError(
                f"end_lr = {self.end_lr:g} is not above start_lr = {self.start_lr:g}; "
                "give a larger end_lr"
            )
        return self
