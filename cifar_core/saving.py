"""Writing checkpoints so that one counts only when all of it is there, and removing old ones."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.checkpoint import Checkpoint, list_checkpoints, read_checkpoint, sum_of
from cifar_core.files import sync_folder, write_atomic, write_json
from cifar_core.space import KEEP_LAST

if TYPE_CHECKING:
    from torch import nn

    from cifar_core.engine import TrainState

_FORMAT = 1


def save_checkpoint(
    run_dir: Path, role: str, state: "TrainState", facts: dict[str, Any]
) -> Checkpoint:
    """Writes a checkpoint and then removes what it replaces.

    Args:
        role: "last" keeps all that resuming needs, "best" and "epoch" only the weights.
        facts: Plain values for the manifest: model, classes, mean, std, figures.

    Raises:
        OSError: if it cannot be written; what was there before stays.
    """
    final = run_dir / f"{role}-{state.step:07d}"
    draft = run_dir / f".{final.name}.{os.getpid()}.draft"
    for left in run_dir.glob(".*.draft"):  # by a worker that was killed; a run has but one
        shutil.rmtree(left, ignore_errors=True)
    draft.mkdir()
    try:
        files = _contents(state, resumable=role == "last")
        for name, content in files.items():
            write_atomic(draft / name, content)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        place = {"role": role, "epoch": state.epoch, "step": state.step}
        manifest = {"format": _FORMAT, **place, **facts, "sha256": sums}
        write_json(draft / "manifest.json", {**manifest, "sum": sum_of(manifest)})
        _put_in_place(draft, final)
        sync_folder(run_dir)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    keep = {"last": KEEP_LAST, "best": 1}.get(role)
    if keep:
        others = [c for c in list_checkpoints(run_dir, role) if c.path != final]
        for old in others[: len(others) - keep + 1]:
            _remove(old.path)
    return read_checkpoint(final)


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
    import io

    import torch
    from safetensors.torch import save

    files = {"weights.safetensors": save(_on_cpu(state.judged))}
    if resumable:
        if state.average is not None:
            files["raw.safetensors"] = save(_on_cpu(state.model))
        buffer = io.BytesIO()
        torch.save(state.progress(), buffer)
        files["state.pt"] = buffer.getvalue()
    return files


def _on_cpu(model: "nn.Module") -> dict[str, Any]:
    return {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}


def remove_checkpoints(run_dir: Path) -> None:
    """Deletes all checkpoints of a run and what was made from them; its records stay."""
    patterns = ("last-*", "best-*", "epoch-*", "epochs", "tables", "selections", ".*.draft")
    for path in [path for pattern in patterns for path in run_dir.glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
