"""TensorBoard event files of a training: figures, images, the graph, histograms of the weights."""

import contextlib
import math
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.data.arrays import Pixels
from cifar_core.errors import CifarCoreError
from cifar_core.records import layout
from cifar_core.records.records import EpochRecord, Record

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.tensorboard import SummaryWriter

    from cifar_core.config.train import TrainConfig
    from cifar_core.jobs.context import JobContext
    from cifar_core.training.batches import TrainingBatches
    from cifar_core.training.state import TrainState

BINS = 64  # of a histogram
COLUMNS, MAX_AUGMENTED = 8, 64  # of the first batch of an epoch
NUM_ERRORS = 10


def open_events(
    job: "JobContext", config: "TrainConfig", state: "TrainState", stack: contextlib.ExitStack
) -> "SummaryWriter | None":
    """A writer that is closed, and so flushed, with the stack; None if none is asked for.

    Steps after the newest checkpoint, of a worker that was killed, are done again, and so are
    shown once.
    """
    if not config.tensorboard:
        return None
    from torch.utils.tensorboard import SummaryWriter

    from cifar_core.models.graph import graph_of

    folder = str(job.run_dir / layout.TENSORBOARD)
    purge_step = state.step + 1 if job.is_resuming else None
    events = stack.enter_context(SummaryWriter(folder, purge_step=purge_step))
    if state.step == 0 and events.file_writer is not None:
        events.file_writer.add_graph(graph_of(state.model, config.model))
    return events


def write_events(
    events: "SummaryWriter | None",
    record: Record,
    config: "TrainConfig",
    batches: "TrainingBatches",
    state: "TrainState",
) -> None:
    """Writes the figures of a record; of an epoch also the weights and, if kept, its images.

    The images are those of the epoch's first batch as the model saw them, but before MixUp or
    CutMix and before they were normalized.
    """
    if events is None:
        return
    values = asdict(record)
    for name, value in values.items():
        if isinstance(value, float):
            events.add_scalar(f"{record.kind}/{name}", value, values["step"])
    if not isinstance(record, EpochRecord):
        return
    for name, parameter in state.eval_model.named_parameters():
        _write_histogram(events, f"weights/{name}", parameter.detach(), record.step)
    if record.epoch in config.checkpoint_epochs:
        pixels = batches.pixels(record.epoch - 1, 0)[:MAX_AUGMENTED].cpu().numpy()
        events.add_image("images/augmented", grid(pixels), record.step, dataformats="HWC")
    events.flush()


def write_errors(events: "SummaryWriter | None", job: "JobContext", step: int) -> None:
    """Writes the most confident errors of the best checkpoint with their maps, if there are any.

    The training is done, so whatever is wrong here does not make it fail; the log has it.
    """
    if events is None:
        return
    try:
        picture = _draw_errors(job)
    except CifarCoreError as error:
        sys.stderr.write(f"TensorBoard gets no images of errors. {error}\n")
        return
    if picture is not None:
        events.add_image("images/errors", picture, step, dataformats="HWC")


def _draw_errors(job: "JobContext") -> Pixels | None:
    """(H, W, 3) the sheet of `explain RUN --worst`, from the predictions that the run has kept."""
    import io

    from PIL import Image

    from cifar_core.checkpoints.checkpoint import find_checkpoint
    from cifar_core.evaluation.history import epoch_predictions
    from cifar_core.evaluation.sorting import most_confident_errors
    from cifar_core.explain.maps import CamRequest, draw_rows
    from cifar_core.runs.store import TrainingRun, read_run

    run = read_run(job.run_dir, TrainingRun)
    predictions = epoch_predictions(run, find_checkpoint(run.path))
    rows = most_confident_errors(predictions, NUM_ERRORS)
    if not rows:
        return None
    with Image.open(io.BytesIO(draw_rows(run.name, predictions, rows, CamRequest()))) as picture:
        return np.asarray(picture)


def grid(pixels: Pixels) -> Pixels:
    """(N, 32, 32, 3) images as one, row by row on white."""
    num, height, width, _ = pixels.shape
    rows = -(-num // COLUMNS)
    cells = np.full((rows * COLUMNS, height, width, 3), 255, np.uint8)
    cells[:num] = pixels
    split = cells.reshape(rows, COLUMNS, height, width, 3).swapaxes(1, 2)
    return split.reshape(rows * height, COLUMNS * width, 3)


def _write_histogram(events: "SummaryWriter", tag: str, values: "Tensor", step: int) -> None:
    """Counts in bins of equal width from the lowest to the highest value, made on the device."""
    values = values.float()
    low, high = (value.item() for value in values.aminmax())
    if not math.isfinite(low + high):
        return  # no bin holds them
    if low == high:
        limits, counts = [high], [values.numel()]
    else:
        limits = np.linspace(low, high, BINS + 1)[1:].tolist()
        counts = values.histc(BINS, low, high).tolist()
    events.add_histogram_raw(
        tag,
        min=low,
        max=high,
        num=values.numel(),
        sum=values.sum().item(),
        sum_squares=values.square().sum().item(),
        bucket_limits=limits,
        bucket_counts=counts,
        global_step=step,
    )
