"""Makes a small, read-only copy of a trained run that can ship with the app.

Nothing of the machine goes along: no process, no path. The weights are rounded to float16 and cut
into parts; everything else that is measured is measured again on the rounded weights.
"""

import io
import json
import secrets
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cifar_core.checkpoints.checkpoint import (
    Checkpoint,
    find_checkpoint,
    load_model,
    read_checkpoint,
)
from cifar_core.data import Dataset, open_dataset, split_indices
from cifar_core.errors import RunError
from cifar_core.evaluation.files import PredictionsNote
from cifar_core.evaluation.predictions import (
    Predictions,
    eval_split,
    predictions_path,
    read_predictions,
)
from cifar_core.records import layout
from cifar_core.report.card import make_card, write_card
from cifar_core.runs.files import NameNote, Status
from cifar_core.runs.folders import epoch_files
from cifar_core.runs.requests import AnalysisRequest
from cifar_core.runs.store import TrainingRun
from cifar_core.system.files import read_npz, write_atomic
from cifar_core.system.json_files import write_typed
from cifar_core.system.progress import Progress
from cifar_core.training.checkpointing import write_files

if TYPE_CHECKING:
    from torch import Tensor

# The Hugging Face Hub takes a larger file only through Git LFS.
MAX_SHARD_BYTES = 9_000_000
SHIPPABLE = ("cifar10", "shapes10")  # data that have the same name everywhere
MAX_EPOCHS = 12  # whose predictions ship
NUM_COMPONENTS = 64  # of the features: keeps neighbors and projections


@dataclass(frozen=True)
class Copy:
    """A run that is being copied.

    Attributes:
        source: The run.
        folder: Where its copy grows.
    """

    source: TrainingRun
    folder: Path
    data: Dataset


def publish(run: TrainingRun, to: Path, hardware: str = "") -> Iterator[Progress]:
    """Copies a run and measures the copy; its folder appears in `to` when all of it is there.

    Args:
        hardware: What it was trained on, in words.

    Raises:
        CifarCoreError: if it is active, has no checkpoint, is there already, or its data are not.
    """
    if run.state.is_active:
        raise RunError(f"{run.name} is {run.state}. Only a run that has ended can be published.")
    if (to / run.run_id).exists():
        raise RunError(f"{to / run.run_id} is there already. Delete it to publish the run again.")
    if run.config.data not in SHIPPABLE:
        raise RunError(
            f"{run.name} was trained with data = {run.config.data!r}, a place of this machine. "
            f"Only runs on {' or '.join(SHIPPABLE)} can be published."
        )
    data = open_dataset(run.config.data)
    chosen = find_checkpoint(run.path, "best")
    if chosen.manifest.fingerprint != data.fingerprint:
        raise RunError(f"{data.title} is not the data that {run.name} was trained on.")
    draft = to / f".draft-{run.run_id}"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / run.run_id).mkdir(parents=True)
    try:
        copy = Copy(run, draft / run.run_id, data)
        _copy_records(copy)
        checkpoint = _write_checkpoint(chosen, copy.folder)
        yield from _measure(copy, checkpoint, hardware)
        ranking = draft / _ranking_id(run)
        yield from _rank(copy, checkpoint, ranking)
        for made in (ranking, copy.folder):
            made.replace(to / made.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy_records(copy: Copy) -> None:
    """Request, state, name, curves and the predictions of some epochs."""
    run, status = copy.source, copy.source.status
    request = replace(run.request, draft="", extends="", forecast=None, lr_from=None)
    if run.config.weights:  # a path of this machine
        config = run.config.model_copy(update={"weights": Path(run.config.weights).name})
        request = replace(request, config=config)
    write_typed(copy.folder / layout.REQUEST, request)
    write_typed(copy.folder / layout.NAME, NameNote(run.name, run.notes))
    plain = replace(status, worker=None, traceback="", attempt=0)
    write_typed(copy.folder / layout.STATUS, plain)
    shutil.copyfile(run.path / layout.METRICS, copy.folder / layout.METRICS)
    (copy.folder / layout.EPOCHS).mkdir()
    for path in _spread(epoch_files(run.path)):
        buffer, stored = io.BytesIO(), read_npz(path)
        if not stored:
            raise RunError(f"{path.parent.name}/{path.name} is damaged. Train the run again.")
        log_probs, fingerprint = stored["log_probs"], stored["fingerprint"]
        np.savez_compressed(buffer, log_probs=log_probs, fingerprint=fingerprint)
        write_atomic(copy.folder / layout.EPOCHS / path.name, buffer.getvalue())


def _spread(paths: list[Path]) -> list[Path]:
    """At most `MAX_EPOCHS`, closer together at the start, the first and the last included."""
    if len(paths) <= MAX_EPOCHS:
        return paths
    chosen = np.geomspace(1, len(paths), MAX_EPOCHS).round().astype(int)
    return [paths[n - 1] for n in sorted({*chosen.tolist()})]


def _write_checkpoint(source: Checkpoint, folder: Path) -> Checkpoint:
    """The weights that were evaluated, as float16, in parts; with a new manifest."""
    path = folder / source.name
    path.mkdir()
    write_files(path, shards(load_model(source).state_dict()), source.manifest)
    return read_checkpoint(path)


def shards(state: "dict[str, Tensor]") -> dict[str, bytes]:
    """Files of at most `MAX_SHARD_BYTES` with the tensors as float16, and their index.

    Source of names and index: https://huggingface.co/docs/transformers/big_models#sharded-checkpoints.
    """
    from safetensors.torch import save

    halves = {
        name: (values.half() if values.is_floating_point() else values).contiguous()
        for name, values in state.items()
    }
    parts: list[dict[str, Tensor]] = []
    size = MAX_SHARD_BYTES
    for name, values in halves.items():
        if size + values.nbytes > 0.95 * MAX_SHARD_BYTES:  # the rest is for the header
            parts.append({})
            size = 0
        parts[-1][name] = values
        size += values.nbytes
    if len(parts) == 1:
        return {layout.WEIGHTS: save(halves)}
    names = [layout.SHARD.format(number=n + 1, total=len(parts)) for n in range(len(parts))]
    index = {
        "metadata": {"total_size": sum(values.nbytes for values in halves.values())},
        "weight_map": {key: name for name, part in zip(names, parts, strict=True) for key in part},
    }
    files = {name: save(part) for name, part in zip(names, parts, strict=True)}
    return {**files, layout.SHARDS: json.dumps(index, indent=1).encode()}


def _measure(copy: Copy, checkpoint: Checkpoint, hardware: str) -> Iterator[Progress]:
    """Predictions plain and with TTA, features, maps and card."""
    from cifar_core.explain.error_maps import error_maps, write_error_maps
    from cifar_core.explain.layers import default_layer, list_layers
    from cifar_core.explain.maps import compute_cams

    plain = yield from _predict(copy, checkpoint, flip=False)
    flipped = yield from _predict(copy, checkpoint, flip=True)
    model = load_model(checkpoint)
    yield Progress("Computing Grad-CAM maps", 0, 1, "parts")
    layer = default_layer(list_layers(model)).name
    maps = error_maps(
        plain, layer, lambda pixels, t: compute_cams(model, plain.checkpoint, pixels, layer, t)
    )
    write_error_maps(copy.folder, maps)
    num_params = sum(values.numel() for values in model.parameters())
    config = copy.source.config
    parts = split_indices(len(copy.data.train), config.val_size, config.train_size, config.seed)
    card = make_card(copy.source, plain, flipped, len(parts[0]), num_params, hardware)
    write_card(copy.folder, card)


def _predict(
    copy: Copy, checkpoint: Checkpoint, flip: bool
) -> Generator[Progress, None, Predictions]:
    """Predictions for the test images; returns them as they are read from the copy."""
    from cifar_core.evaluation.predictor import evaluate

    run = copy.source
    examples = eval_split(copy.data, run.config, "test")
    note = PredictionsNote.of(run.run_id, checkpoint, "test", flip)
    yield from evaluate(copy.folder, note, checkpoint, run.config, examples, principal_components)
    path = predictions_path(copy.folder, checkpoint.name, "test", flip)
    return read_predictions(path, examples, checkpoint)


def principal_components(features: np.ndarray) -> np.ndarray:
    """(N, D) features along their `NUM_COMPONENTS` directions of largest variance, not centred.

    Without centring the cosine similarities that `neighbors` takes stay what they are.

    Source: truncated SVD, Halko et al. 2011, https://arxiv.org/abs/0909.4061, through scikit-learn.
    """
    from sklearn.decomposition import TruncatedSVD

    if features.shape[1] <= NUM_COMPONENTS:
        return features
    return TruncatedSVD(NUM_COMPONENTS, random_state=0).fit_transform(features)


def _ranking_id(run: TrainingRun) -> str:
    """An id of the time of the run, so that it is not the newest job of the list."""
    return f"{run.created:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _rank(copy: Copy, checkpoint: Checkpoint, folder: Path) -> Iterator[Progress]:
    """The ranking by ROAD, as a job of its own that has ended."""
    from cifar_core.explain.road import rank_by_road

    folder.mkdir()
    examples = eval_split(copy.data, copy.source.config, "test")
    yield from rank_by_road(load_model(checkpoint), checkpoint, examples, folder)
    request = AnalysisRequest(
        kind="road",
        run_id=folder.name,
        created=copy.source.created,
        run=copy.source.run_id,
        checkpoint=checkpoint.name,
    )
    write_typed(folder / layout.REQUEST, request)
    write_typed(folder / layout.STATUS, Status(phase="ended", outcome="completed"))
