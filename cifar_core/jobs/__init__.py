"""What each kind of job does; torch is imported only once it is its turn."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.data import get_data
from cifar_core.jobs.effect import try_augmentation
from cifar_core.jobs.embed import embed_split
from cifar_core.jobs.evaluate import evaluate_checkpoint
from cifar_core.jobs.lr_find import find_lr
from cifar_core.jobs.report import write_report
from cifar_core.jobs.road import rank_layers
from cifar_core.jobs.train import train_model
from cifar_core.states import RunState

if TYPE_CHECKING:
    from cifar_core.worker import Worker

# By how much each gives way to the app, for which people wait, and to the one above it.
NICENESS = {
    "train": 5,
    "lr_find": 5,
    "data": 5,
    "evaluate": 10,
    "effect": 10,
    "embed": 10,
    "road": 10,
    "report": 10,
}
JOBS: dict[str, Callable[["Worker", dict[str, Any]], RunState]] = {
    "train": train_model,
    "lr_find": find_lr,
    "data": get_data,
    "evaluate": evaluate_checkpoint,
    "effect": try_augmentation,
    "embed": embed_split,
    "road": rank_layers,
    "report": write_report,
}
