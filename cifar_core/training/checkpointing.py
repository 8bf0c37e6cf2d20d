"""Writing checkpoints so that one counts only when all of it is there, and removing old ones."""

import hashlib
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.checkpoints.checkpoint import (
    KEEP_LAST,
    Checkpoint,
    list_checkpoints,
    read_checkpoint,
    read_weights,
    verified,
)
from cifar_core.checkpoints.manifest import Manifest, Role, sum_of
from cifar_core.errors import CheckpointError
from cifar_core.records import layout
from cifar_core.system.files import sync_folder, write_atomic
from cifar_core.system.json_files import write_typed

if TYPE_CHECKING:
    from torch import nn

    from cifar_core.data import Dataset
    from cifar_core.records.records import EpochRecord
    from cifar_core.training.state import TrainState


def save_checkpoint(
    run_dir: Path,
    role: Role,
    state: "TrainState",
    model: str,
    data: "Dataset",
    figures: "EpochRecord | None" = None,
    normalization: str = "train",
) -> Checkpoint:
    """Writes a checkpoint and then removes what it replaces.

    Args:
        role: "last" keeps all that resuming needs, "best" and "epoch" only the weights.
        model: Its name.
        figures: Of the epoch that has just ended; None within one.
        normalization: Setting of the run.

    Raises:
        OSError: if it cannot be written; what was there before stays.
    """
    final = run_dir / f"{role}-{state.step:07d}"
    draft = run_dir / f".{final.name}.{os.getpid()}.draft"
    for left in run_dir.glob(".*.draft"):  # by a worker that was killed; a run has but one
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir()
    (mean, std), (test_mean, test_std) = data.statistics(normalization)
    separate = normalization == "separate"
    try:
        files = _contents(state, resumable=role == "last")
        manifest = Manifest(
            role=role,
            epoch=state.epoch,
            step=state.step,
            sha256={},
            model=model,
            data=data.title,
            fingerprint=data.fingerprint,
            classes=tuple(data.classes),
            mean=tuple(mean.tolist()),
            std=tuple(std.tolist()),
            test_mean=tuple(test_mean.tolist()) if separate else None,
            test_std=tuple(test_std.tolist()) if separate else None,
            figures=figures,
        )
        write_files(draft, files, manifest)
        _put_in_place(draft, final)
        sync_folder(run_dir)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if keep := {"last": KEEP_LAST, "best": 1}.get(role):
        others = [c for c in list_checkpoints(run_dir, role) if c.path != final]
        for old in others[: len(others) - keep + 1]:
            _remove(old.path)
    return read_checkpoint(final)


def write_files(folder: Path, files: dict[str, bytes], manifest: Manifest) -> None:
    """Writes the files of a checkpoint, and last the manifest with their sums.

    Raises:
        OSError: if one cannot be written.
    """
    for name, content in files.items():
        write_atomic(folder / name, content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = replace(manifest, sha256=sums)
    write_typed(folder / layout.MANIFEST, replace(whole, sum=sum_of(whole)))


def _remove(folder: Path) -> None:
    """Takes a checkpoint out of the list before its files go: what is left counts as a draft."""
    doomed = folder.with_name(f".{folder.name}.old.draft")
    folder.replace(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def _put_in_place(draft: Path, final: Path) -> None:
    before = draft.with_name(f".{final.name}.before.draft")  # of the same step, if there is one
    if final.exists():
        final.replace(before)
    try:
        draft.replace(final)
    except OSError:
        if before.exists():
            before.replace(final)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _contents(state: "TrainState", resumable: bool) -> dict[str, bytes]:
    import torch
    from safetensors.torch import save

    files = {layout.WEIGHTS: save(_on_cpu(state.eval_model))}
    if resumable:
        if state.ema_model is not None:
            files[layout.RAW_WEIGHTS] = save(_on_cpu(state.model))
        buffer = io.BytesIO()
        torch.save(state.progress(), buffer)
        files[layout.TRAIN_STATE] = buffer.getvalue()
    return files


def _on_cpu(model: "nn.Module") -> dict[str, Any]:
    return {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}


def load_state(checkpoint: Checkpoint, state: "TrainState") -> None:
    """Puts a fresh state back to where the checkpoint was written.

    Raises:
        CheckpointError: if it is damaged, of another model, or keeps only weights.
    """
    if layout.TRAIN_STATE not in checkpoint.manifest.sha256:
        raise CheckpointError(
            f"{checkpoint.name} has only weights. Resume from a last-… checkpoint."
        )
    if (layout.RAW_WEIGHTS in checkpoint.manifest.sha256) != (state.ema_model is not None):
        raise CheckpointError(
            f"{checkpoint.name} does not fit this config: one of them has no EMA."
        )
    progress = _read_progress(checkpoint)
    raw = layout.WEIGHTS if state.ema_model is None else layout.RAW_WEIGHTS
    averaged = read_weights(checkpoint, layout.WEIGHTS) if state.ema_model else {}
    try:
        state.model.load_state_dict(read_weights(checkpoint, raw))
        if state.ema_model is not None:
            state.ema_model.load_state_dict(averaged)
        state.restore(progress)
        if state.step != checkpoint.step:
            raise ValueError(f"its state is that of step {state.step}")
    except (RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
        reason = json.dumps(str(error))[:200]
        raise CheckpointError(f"{checkpoint.name} does not fit this config: {reason}.") from None


def _read_progress(checkpoint: Checkpoint) -> dict[str, Any]:
    import torch

    content = verified(checkpoint, layout.TRAIN_STATE)
    try:
        return torch.load(io.BytesIO(content), weights_only=True)
    except Exception as error:  # noqa: BLE001 # damaged bytes make torch raise nearly anything
        raise CheckpointError(
            f"{checkpoint.name}/{layout.TRAIN_STATE} is damaged: {type(error).__name__}. "
            "Choose another checkpoint."
        ) from None
