"""Every setting of an LR test, beside those of the run it is for."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

GROUP = "LR test"


# Settings of a training that play no part in a test.
_SCHEDULE = ("lr", "epochs", "schedule", "pct_start", "step_epochs", "gamma")


UNUSED = frozenset([*_SCHEDULE, "compile", "ema", "keep_epochs", "tensorboard"])


def _setting(default: Any, help: str, *, step: float | None = None, **bounds: Any) -> Any:
    extra = {"group": GROUP, "step": step}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class LRTestConfig(BaseModel):
    """The settings of an LR test beside those of the run it is for; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start_lr: float = _setting(1e-5, "Learning rate of the first step.", gt=0, le=100, step=1e-5)
    end_lr: float = _setting(10.0, "Learning rate of the last step.", gt=0, le=100, step=1.0)
    num_steps: int = _setting(
        100, "Training steps from the first learning rate to the last.", ge=10, le=1000, step=10
    )
    num_seeds: int = _setting(
        1, "Tests with different seeds; of several, the median and the band are drawn.", ge=1, le=3
    )
    mode: Literal["exp", "linear"] = _setting(
        "exp", "Multiply the learning rate by the same factor each step, or add the same amount."
    )
    smoothing: float = _setting(
        0.05,
        "Weight of the newest loss in the running mean: smaller is smoother and lags more; 0: off.",
        ge=0,
        lt=1,
        step=0.05,
    )
    diverge_factor: float = _setting(
        5.0,
        "The test ends once the smoothed loss is more than so many times its lowest.",
        gt=1,
        le=1000,
        step=1.0,
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_truth(cls, raw: object) -> object:
        """True is not taken for 1."""
        for name, value in raw.items() if isinstance(raw, dict) else ():
            if isinstance(value, bool):
                raise ValueError(f"{name} = {value} is not a number")
        return raw

    @model_validator(mode="after")
    def _check_range(self) -> "LRTestConfig":
        if self.end_lr <= self.start_lr:
            raise ValueError(
                f"the learning rate has to rise, but end_lr = {self.end_lr:g} is not above "
                f"start_lr = {self.start_lr:g}; take a larger end_lr"
            )
        return self
