"""TrainConfig: every setting of a run, once; the form, the CLI, JSON and the docs read it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator

from cifar_core.augment import AugmentSpec, preset, spec_from_text
from cifar_core.config.base import Settings, setting
from cifar_core.models import MODELS
from cifar_core.validation import validated

GROUPS = ("Data", "Model", "Augmentation", "Optimization", "Schedule", "Hardware", "Run")


def _check_model(name: str) -> str:
    if not isinstance(name, str) or name not in MODELS:
        raise ValueError(f"is unknown; available: {', '.join(MODELS)}")
    return name


class TrainConfig(Settings):
    """The settings of one training run; immutable, unknown keys refused."""

    data: str = setting(
        "cifar10",
        "Data",
        "Data set to train on; cifar10 is looked up in CIFAR10_DIR, then in the cache.",
        accepted="cifar10, shapes10, or the path of a copy of CIFAR-10",
        min_length=1,
    )
    train_size: int = setting(
        0,
        "Data",
        "Number of training images to use; 0 uses all.",
        ge=0,
        le=1_000_000,
        step=1000,
    )
    val_size: int = setting(
        5000,
        "Data",
        "Training images held out for validation, which selects the best epoch; 0 holds out none, "
        "and there is no best checkpoint.",
        ge=0,
        le=100_000,
        step=1000,
    )
    normalization: Literal["train", "separate", "all"] = setting(
        "train",
        "Data",
        "Pixels whose mean and std normalize the images: train, the training images; separate, "
        "training and test images each by their own; all, both together.",
    )
    model: Annotated[str, BeforeValidator(_check_model)] = setting(
        "resnet18",
        "Model",
        "Network architecture.",
        accepted=f"one of {', '.join(MODELS)}",
    )
    weights: str = setting(
        "",
        "Model",
        "Initialization: empty for random weights, or the run or checkpoint to fine-tune from.",
        accepted="empty, a run's name or id, or the folder of a checkpoint",
    )
    augment: AugmentSpec = setting(
        preset("standard"),
        "Augmentation",
        "Augmentation applied to each training image.",
        accepted="a preset, JSON, or the path of a JSON or YAML file",
    )
    epochs: int = setting(20, "Optimization", "Passes over the training set.", ge=1, le=2000)
    batch_size: int = setting(
        128, "Optimization", "Images per optimizer step.", ge=2, le=8192, step=32
    )
    optimizer: Literal["sgd", "adamw"] = setting(
        "sgd", "Optimization", "SGD with Nesterov momentum, or AdamW."
    )
    lr: float = setting(
        0.1, "Optimization", "Learning rate; max LR for onecycle.", gt=0, le=100, step=0.01
    )
    momentum: float = setting(
        0.9, "Optimization", "Momentum of SGD; beta 1 of AdamW.", ge=0, lt=1, step=0.05
    )
    weight_decay: float = setting(
        5e-4,
        "Optimization",
        "L2 penalty on weights, not on biases and norm layers; decoupled in AdamW.",
        ge=0,
        le=10,
        step=1e-4,
    )
    bn_momentum: float = setting(
        0.1,
        "Optimization",
        "Weight of each batch in the running statistics of batch norm layers. The paper of "
        "speednet has 0.4.",
        gt=0,
        le=1,
        step=0.05,
    )
    l1: float = setting(
        0.0, "Optimization", "L1 penalty on the same weights.", ge=0, le=1, step=1e-5
    )
    loss: Literal["cross_entropy", "focal"] = setting(
        "cross_entropy",
        "Optimization",
        "Loss of a training batch; focal gives images that are already correct less weight. "
        "Validation and test report cross-entropy.",
    )
    focal_gamma: float = setting(
        2.0,
        "Optimization",
        "For focal: how fast the weight falls with confidence; 0 is cross-entropy.",
        ge=0,
        le=10,
        step=0.5,
    )
    label_smoothing: float = setting(
        0.0,
        "Optimization",
        "Share of the target probability spread evenly over all classes.",
        ge=0,
        lt=1,
        step=0.05,
    )
    ema: float = setting(
        0.0,
        "Optimization",
        "Decay per step of an exponential moving average of the weights, which is then evaluated "
        "and saved. The decay ramps up over the first steps; 0 turns EMA off.",
        ge=0,
        lt=1,
        step=0.001,
    )
    schedule: Literal["onecycle", "cosine", "step", "constant"] = setting(
        "onecycle", "Schedule", "Learning rate schedule."
    )
    pct_start: float = setting(
        0.3,
        "Schedule",
        "For onecycle: share of the run spent raising the learning rate.",
        gt=0,
        lt=1,
        step=0.05,
    )
    base_momentum: float = setting(
        0.0,
        "Schedule",
        "For onecycle: momentum at the max LR, to which it goes from momentum and back; 0 keeps it "
        "constant. torch's OneCycleLR has 0.85, with momentum 0.95.",
        ge=0,
        lt=1,
        step=0.05,
    )
    step_epochs: int = setting(
        10, "Schedule", "For step: epochs between two drops of the learning rate.", ge=1, le=1000
    )
    gamma: float = setting(
        0.1,
        "Schedule",
        "For step: factor applied to the learning rate at each drop.",
        gt=0,
        lt=1,
        step=0.05,
    )
    device: str = setting(
        "auto",
        "Hardware",
        "auto uses the first CUDA GPU, or the CPU if there is none.",
        accepted="auto, cpu, cuda or cuda:N",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
    )
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "auto", "Hardware", "auto uses bf16 where the hardware supports it, else fp32."
    )
    memory_format: Literal["auto", "contiguous", "channels_last"] = setting(
        "auto", "Hardware", "Memory layout of images and weights; auto uses channels_last."
    )
    compile: bool = setting(
        False,
        "Hardware",
        "Compile the model with torch.compile: faster steps after a delay at the start of each "
        "run, so it pays off in long runs. Needs a C++ compiler.",
    )
    num_workers: int = setting(
        2,
        "Hardware",
        "Loader processes, used only for augmentations without a batched kernel.",
        ge=0,
        le=64,
    )
    seed: int = setting(0, "Run", "Seed of all randomness in the run.", ge=0, le=2**31 - 1)
    keep_epochs: int = setting(
        6,
        "Run",
        "Checkpoints to keep besides the best and the last, spaced evenly on a log scale of "
        "epochs; 0 keeps none.",
        ge=0,
        le=1000,
    )
    tensorboard: bool = setting(
        False,
        "Run",
        "Also write TensorBoard event files: metrics, histograms of the weights, the graph, "
        "augmented images, errors with Grad-CAM. On a CPU this takes less than 0.1% of an epoch, "
        "and some seconds at the end.",
    )

    @property
    def checkpoint_epochs(self) -> tuple[int, ...]:
        """Epochs, counted from 1, that get a checkpoint; evenly spaced on a log scale, last too.

        Fewer than `keep_epochs` where several fall on the same epoch.
        """
        gaps = max(self.keep_epochs - 1, 1)
        spaced = {round(self.epochs ** (1 - n / gaps)) for n in range(self.keep_epochs)}
        return tuple(sorted(spaced))

    @model_validator(mode="before")
    @classmethod
    def _read_augment_text(cls, raw: object) -> object:
        """Lets the augmentation be given as text: a preset, a path, JSON."""
        if isinstance(raw, dict) and isinstance(raw.get("augment"), str):
            data = raw.get("data", cls.model_fields["data"].default)
            return {**raw, "augment": spec_from_text(raw["augment"], str(data))}
        return raw


def make_config(values: dict[str, Any]) -> TrainConfig:
    """Builds a config from the plain values of a form, a command line or JSON.

    Raises:
        ConfigError: one sentence per error: the value, what is accepted, the next step.
    """
    return validated(TrainConfig, values)
