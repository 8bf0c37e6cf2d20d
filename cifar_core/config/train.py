"""Every setting of a run, once: type, default, bounds, help. Form, CLI, JSON and docs walk it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cifar_core.augment import AugmentSpec, preset, spec_from_text
from cifar_core.models import MODELS
from cifar_core.validation import validated

GROUPS = ("Data", "Model", "Augmentation", "Optimisation", "Schedule", "Hardware", "Run")


def setting(
    default: Any, group: str, help: str, *, step: float | None = None, **bounds: Any
) -> Any:
    """A field with its group in the form, its help text and, for numbers, its step there."""
    assert group in GROUPS
    extra = {"group": group, "step": step}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


def _known_model(name: str) -> str:
    if not isinstance(name, str) or name not in MODELS:
        raise ValueError(f"is unknown; available: {', '.join(MODELS)}")
    return name


class TrainConfig(BaseModel):
    """The settings of one training run; immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: str = setting(
        "cifar10",
        "Data",
        "cifar10 (found through CIFAR10_DIR or the cache), shapes10, or the path of a copy.",
        min_length=1,
    )
    train_size: int = setting(
        0, "Data", "Train on only so many images; 0 takes all.", ge=0, le=1_000_000, step=1000
    )
    val_size: int = setting(
        5000,
        "Data",
        "Images held out of the training set to choose the best epoch; 0: none, and no best.",
        ge=0,
        le=100_000,
        step=1000,
    )
    model: Annotated[str, BeforeValidator(_known_model)] = setting(
        "resnet18", "Model", "The network."
    )
    weights: str = setting(
        "",
        "Model",
        "Start from the weights of another run: its name or id, or the folder of one of its "
        "checkpoints; empty: from random ones.",
    )
    augment: AugmentSpec = setting(
        preset("standard"), "Augmentation", "What happens to each training image."
    )
    epochs: int = setting(20, "Optimisation", "Passes over the training images.", ge=1, le=2000)
    batch_size: int = setting(
        128, "Optimisation", "Images per optimizer step.", ge=2, le=8192, step=32
    )
    optimizer: Literal["sgd", "adamw"] = setting(
        "sgd", "Optimisation", "SGD with Nesterov momentum, or AdamW."
    )
    lr: float = setting(
        0.1, "Optimisation", "Learning rate; for onecycle its maximum.", gt=0, le=100, step=0.01
    )
    momentum: float = setting(
        0.9, "Optimisation", "Of SGD; for AdamW its first beta.", ge=0, lt=1, step=0.05
    )
    weight_decay: float = setting(
        5e-4,
        "Optimisation",
        "L2 on weights, not on biases and norms; AdamW decouples it.",
        ge=0,
        le=10,
        step=1e-4,
    )
    l1: float = setting(
        0.0, "Optimisation", "L1 penalty on the same weights.", ge=0, le=1, step=1e-5
    )
    label_smoothing: float = setting(
        0.0, "Optimisation", "Share of the target spread over all classes.", ge=0, lt=1, step=0.05
    )
    ema: float = setting(
        0.0,
        "Optimisation",
        "Decay per step of averaged weights, which are then evaluated and kept; it grows to this "
        "value over the first steps; 0: off.",
        ge=0,
        lt=1,
        step=0.001,
    )
    schedule: Literal["onecycle", "cosine", "step", "constant"] = setting(
        "onecycle", "Schedule", "How the learning rate moves over the run."
    )
    pct_start: float = setting(
        0.3, "Schedule", "onecycle: share of the run until the maximum.", gt=0, lt=1, step=0.05
    )
    step_epochs: int = setting(10, "Schedule", "step: epochs between two drops.", ge=1, le=1000)
    gamma: float = setting(0.1, "Schedule", "step: factor of a drop.", gt=0, lt=1, step=0.05)
    device: str = setting(
        "auto",
        "Hardware",
        "auto takes a CUDA GPU if there is one; or cpu, cuda, cuda:1.",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
    )
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "auto", "Hardware", "auto takes bf16 where the hardware has it, else fp32."
    )
    memory_format: Literal["auto", "contiguous", "channels_last"] = setting(
        "auto", "Hardware", "Order of pixels and channels in memory."
    )
    compile: bool = setting(
        False,
        "Hardware",
        "Compile the model with torch.compile: quicker steps after a wait at the start of every "
        "run, so it pays in long ones. Needs a C++ compiler.",
    )
    num_workers: int = setting(
        2,
        "Hardware",
        "Processes that augment; only for operations without a batched kernel.",
        ge=0,
        le=64,
    )
    seed: int = setting(0, "Run", "All randomness derives from it.", ge=0, le=2**31 - 1)
    keep_epochs: int = setting(
        6,
        "Run",
        "Epochs whose weights are kept beside the best and the last, closer together at first; "
        "0: none.",
        ge=0,
        le=1000,
    )
    tensorboard: bool = setting(
        False, "Run", "Also write TensorBoard event files into the run's folder."
    )

    @property
    def kept_epochs(self) -> tuple[int, ...]:
        """The epochs, from 1, whose weights are kept: evenly spaced on a log scale, the last too.

        Fewer than `keep_epochs` where several fall on the same epoch.
        """
        gaps = max(self.keep_epochs - 1, 1)
        spaced = {round(self.epochs ** (1 - n / gaps)) for n in range(self.keep_epochs)}
        return tuple(sorted(spaced))

    @model_validator(mode="before")
    @classmethod
    def _read_plain(cls, raw: object) -> object:
        """Lets the augmentation be text: a preset, a path, JSON. True is not taken for 1."""
        if not isinstance(raw, dict):
            return raw
        for name, value in raw.items():
            field = cls.model_fields.get(name)
            if field and isinstance(value, bool) and field.annotation in (int, float):
                raise ValueError(f"{name} = {value} is not a number")
        if isinstance(raw.get("augment"), str):
            return {**raw, "augment": spec_from_text(raw["augment"])}
        return raw


def make_config(values: dict[str, Any]) -> TrainConfig:
    """Builds a config from plain values, of a form, of a command line, of JSON.

    Raises:
        ConfigError: one sentence per mistake: the value, what is accepted, the next step.
    """
    return validated(TrainConfig, values)


def difference(configs: list[TrainConfig]) -> dict[str, list[str]]:
    """The settings in which the configs differ: name -> the value of each, as text."""
    tables = [shown(config) for config in configs]
    return {
        name: [table[name] for table in tables]
        for name in TrainConfig.model_fields
        if len({table[name] for table in tables}) > 1
    }


def shown(config: TrainConfig) -> dict[str, str]:
    """Each setting as people read it."""
    table = {name: str(getattr(config, name)) for name in TrainConfig.model_fields}
    return {**table, "augment": f"{config.augment} [{config.augment.digest[:12]}]"}
