"""What a run keeps of a model: a folder of files, and a manifest of their sums written last.

    <run>/last-0000390/   weights.safetensors [raw.safetensors] state.pt manifest.json
    <run>/best-0000390/   weights.safetensors manifest.json
    <run>/epoch-0000390/  the same, of the epochs that `keep_epochs` keeps

The number is the optimizer step. `weights` are those that are evaluated (averaged ones with EMA,
whose `raw` weights are then kept for resuming). A folder without a matching manifest does not
count. Listing needs no torch.
"""

import contextlib
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.errors import CheckpointError
from cifar_core.system.files import read_json

if TYPE_CHECKING:
    from torch import nn

KEEP_LAST = 2  # the newest checkpoint to resume from, and the one before


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that counts.

    Attributes:
        name: "last-0000390", the folder's name.
        role: "last", "best" or "epoch".
        manifest: Model, classes, normalisation, figures, and the sums of the files.
    """

    path: Path
    role: str
    step: int
    epoch: int
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """The folder's name, unique in its run."""
        return self.path.name

    @property
    def facts(self) -> dict[str, Any]:
        """What has to be said wherever something made from it is shown."""
        kept = {key: self.manifest[key] for key in ("model", "fingerprint")}
        kept["weights"] = self.manifest["sha256"]["weights.safetensors"]
        return {"checkpoint": self.name, "epoch": self.epoch, **kept}


def list_checkpoints(run_dir: Path, role: str | None = None) -> list[Checkpoint]:
    """The checkpoints of a run that have a manifest, oldest first."""
    found = []
    for manifest in run_dir.glob(f"{role or '[!.]*'}-*/manifest.json"):
        with contextlib.suppress(CheckpointError):
            found.append(read_checkpoint(manifest.parent))
    return sorted(found, key=lambda c: (c.step, c.role))


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a manifest; the sums are compared when the weights are loaded.

    Raises:
        CheckpointError: if there is no manifest that can be read.
    """
    manifest = read_json(path / "manifest.json")
    match manifest:
        case {"role": str(role), "step": int(step), "epoch": int(epoch), "sha256": dict()} if (
            manifest.get("sum") == sum_of({k: v for k, v in manifest.items() if k != "sum"})
        ):
            return Checkpoint(path, role, step, epoch, manifest)
    raise CheckpointError(f"{path.name} is no complete checkpoint. Choose another one.")


def sum_of(manifest: dict[str, Any]) -> str:
    """The SHA-256 of a manifest without its own sum."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def find_checkpoint(run_dir: Path, text: str = "best") -> Checkpoint:
    """The checkpoint called "best" (the last one if nothing was held out), "last", or by name.

    Where both are gone, the newest epoch that was kept is the best there is.

    Raises:
        CheckpointError: if there is none; the text names those that are there.
    """
    there = list_checkpoints(run_dir)
    if text in ("best", "last"):
        ranked = [c for c in there if c.role == text] or [c for c in there if c.role == "last"]
        ranked = ranked or (there if text == "best" else [])
    else:
        ranked = [c for c in there if c.name == text]
    if ranked:
        return ranked[-1]
    names = ", ".join(c.name for c in there) or "none; train it again"
    raise CheckpointError(f"There is no checkpoint {text!r}. The run keeps: {names}.")


def load_model(checkpoint: Checkpoint) -> "nn.Module":
    """The model with the weights that were evaluated, on the CPU, in eval mode.

    Raises:
        CheckpointError: if a file is missing, damaged, or of another model.
    """
    from cifar_core.models import create_model

    manifest = checkpoint.manifest
    model = create_model(manifest["model"], len(manifest["classes"]))
    load_weights(checkpoint, model)
    return model.eval()


def load_weights(checkpoint: Checkpoint, model: "nn.Module") -> None:
    """Puts the weights that were evaluated into a model of the same kind.

    Raises:
        CheckpointError: if a file is missing, damaged, or of another model.
    """
    from safetensors.torch import load

    weights = load(verified(checkpoint, "weights.safetensors"))
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise CheckpointError(
            f"{checkpoint.name} does not hold the weights of this model; it was made from a "
            f"{checkpoint.manifest['model']}. Choose another checkpoint."
        ) from None


def verified(checkpoint: Checkpoint, name: str) -> bytes:
    """The content of a file of a checkpoint, its sum compared.

    Raises:
        CheckpointError: if it is missing or not what was written.
    """
    try:
        content = (checkpoint.path / name).read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{checkpoint.name}/{name} cannot be read ({error.strerror}). Choose another one."
        ) from None
    if hashlib.sha256(content).hexdigest() != checkpoint.manifest["sha256"].get(name):
        raise CheckpointError(
            f"{checkpoint.name}/{name} is damaged: its SHA-256 is not the one in the manifest. "
            "Choose another checkpoint."
        )
    return content


def remove_checkpoints(run_dir: Path) -> None:
    """Deletes all checkpoints of a run and what was made from them; its records stay."""
    patterns = ("last-*", "best-*", "epoch-*", "epochs", "tables", "selections", ".*.draft")
    for path in [path for pattern in patterns for path in run_dir.glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
