"""The card of a trained model: what it is, how it was made, and how good it is.

<run>/card.json   for programs, see `ModelCard`
<run>/README.md   the same for people, in the form of the Hugging Face Hub
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from cifar_core.evaluation.metrics import per_class_accuracy, wilson_interval
from cifar_core.evaluation.predictions import Predictions
from cifar_core.records import layout
from cifar_core.report.commands import train_command
from cifar_core.runs.store import TrainingRun
from cifar_core.system.json_files import read_typed, write_typed
from cifar_core.validation import STORED, Count, Text

LICENSE = "mit"  # of code and weights
LIMITS = (
    "A small network for images of 32 x 32 pixels. It knows only its classes: any other picture "
    "gets one of them, often with high confidence. Labels and pixels are those of the data set, "
    "with its mistakes and its bias. It is made to be looked into, not to be relied on."
)
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """card.json: a trained model in figures.

    Attributes:
        num_params: Of the network.
        hardware: What it was trained on, in words.
        took_s: Seconds of the training, its evaluations included; None if that is not known.
        test_acc, flip_acc: Accuracy on the test images, plain and with TTA (flip).
        val_acc: On the held-out images at the epoch of this checkpoint; None if there were none.
        matrix: (K, K) confusion matrix of the test images; row: true, column: predicted.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal[1] = 1
    run: Text
    name: Text
    model: Text
    num_params: Count
    data: Text
    fingerprint: Text
    num_train: Count
    num_val: Count
    checkpoint: Text
    epoch: Count
    epochs: Count
    seed: Count
    command: Text
    hardware: Text
    took_s: float | None
    versions: dict[str, str]
    classes: tuple[str, ...]
    test_acc: Share
    flip_acc: Share
    val_acc: Share | None
    matrix: tuple[tuple[Count, ...], ...]


def make_card(
    run: TrainingRun,
    predictions: Predictions,
    flipped: Predictions,
    num_train: int,
    num_params: int,
    hardware: str,
) -> ModelCard:
    """The card of a run from its predictions for the test images, plain and with TTA (flip)."""
    checkpoint, runtime = predictions.checkpoint, run.status.runtime
    figures = checkpoint.manifest.figures
    told = [hardware, f"{runtime.device}, {runtime.precision}" if runtime else ""]
    return ModelCard(
        run=run.run_id,
        name=run.name,
        model=run.config.model,
        num_params=num_params,
        data=predictions.note.data,
        fingerprint=predictions.note.fingerprint,
        num_train=num_train,
        num_val=run.config.val_size,
        checkpoint=checkpoint.name,
        epoch=checkpoint.epoch,
        epochs=run.config.epochs,
        seed=run.config.seed,
        command=train_command(run.config),
        hardware=", ".join(filter(None, told)),
        took_s=run.took_s,
        versions=run.status.versions,
        classes=predictions.examples.classes,
        test_acc=predictions.acc,
        flip_acc=flipped.acc,
        val_acc=figures.val_acc if figures else None,
        matrix=tuple(tuple(row) for row in predictions.matrix.tolist()),
    )


def write_card(folder: Path, card: ModelCard) -> None:
    """Writes both forms of a card."""
    import numpy as np
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    matrix = np.array(card.matrix, np.int64)
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    texts = Environment(  # Markdown, not HTML; names of runs have no markup
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    low, high = wilson_interval(int(np.trace(matrix)), int(matrix.sum()))
    text = texts.get_template("card.md").render(
        card=card,
        license=LICENSE,
        limits=LIMITS,
        num_test=int(matrix.sum()),
        low=low,
        high=high,
        per_class=list(zip(card.classes, per_class_accuracy(matrix).tolist(), strict=True)),
    )
    (folder / layout.CARD_TEXT).write_text(text, encoding="utf-8")
    write_typed(folder / layout.CARD, card)


def read_card(folder: Path) -> ModelCard | None:
    """The card that lies beside a run; None if there is none.

    Raises:
        RunError: if it is damaged.
    """
    return read_typed(folder / layout.CARD, ModelCard)
