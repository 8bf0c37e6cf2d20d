"""What each kind of job does; torch is imported only once it is its turn.

train      train, save checkpoints, resume
lr_find    the LR test
evaluate   predictions of a checkpoint on a split
embed      t-SNE of the features
effect     an augmentation on a trained model
road       the ranking of layers and methods
report     the HTML report
data       download or import CIFAR-10
shared     what several tasks do alike
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cifar_core.jobs.tasks.data import get_data
from cifar_core.jobs.tasks.effect import try_augmentation
from cifar_core.jobs.tasks.embed import embed_split
from cifar_core.jobs.tasks.evaluate import evaluate_checkpoint
from cifar_core.jobs.tasks.lr_find import find_lr
from cifar_core.jobs.tasks.report import write_report
from cifar_core.jobs.tasks.road import rank_layers
from cifar_core.jobs.tasks.train import train_model
from cifar_core.runs.states import RunState

if TYPE_CHECKING:
    from cifar_core.jobs.context import JobContext

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
JOBS: dict[str, Callable[["JobContext", Any], RunState]] = {
    "train": train_model,
    "lr_find": find_lr,
    "data": get_data,
    "evaluate": evaluate_checkpoint,
    "effect": try_augmentation,
    "embed": embed_split,
    "road": rank_layers,
    "report": write_report,
}
