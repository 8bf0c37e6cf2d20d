"""A training sized so that it takes about a given time on this machine."""

from cifar_core.config.recipes import recipe
from cifar_core.config.train import TrainConfig
from cifar_core.errors import RunError
from cifar_core.forecast.forecast import START_S, forecast_from
from cifar_core.forecast.preflight import measured

GOAL_S = 60.0
MAX_EPOCHS = 10  # of the recipe "quick", more gain little
MIN_IMAGES = 2_000  # to train on; with fewer the model learns next to nothing


def quick_config(data: str, goal_s: float = GOAL_S) -> TrainConfig:
    """The recipe "quick" with as many epochs as fit into the time, of as many images as fit.

    Measures the machine first if its speed is not known, which takes a few seconds.

    Raises:
        CifarCoreError: if it cannot be measured, or another job is running.
    """
    config = recipe("quick").model_copy(update={"data": data})
    speed = measured(config)
    whole = forecast_from(speed, config.model_copy(update={"epochs": 1}))
    left_s = goal_s - START_S - speed.compile_s
    epochs = min(int(left_s / whole.epoch_s), MAX_EPOCHS)
    if epochs >= 1:
        return config.model_copy(update={"epochs": epochs})
    images = int((left_s - speed.start_s - whole.eval_s) * speed.train)
    if images < MIN_IMAGES:
        raise RunError(
            f"This machine needs {whole.seconds:.0f} s for one epoch: no training fits into "
            f"{goal_s:.0f} s. Choose the settings yourself on Train."
        )
    return config.model_copy(update={"epochs": 1, "train_size": min(images, whole.num_train)})
