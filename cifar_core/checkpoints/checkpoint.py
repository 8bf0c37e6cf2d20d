"""What a run keeps of a model: a folder of files, and a manifest of their sums written last.

    <run>/last-0000390/   weights.safetensors [raw.safetensors] state.pt manifest.json
    <run>/best-0000390/   weights.safetensors manifest.json
    <run>/epoch-0000390/  the same, of the epochs that `keep_epochs` keeps

A shipped one has its weights in parts (`weights-00001-of-00003.safetensors`).

The number is the optimizer step. `weights` are those that are evaluated (averaged ones with EMA,
whose `raw` weights are then kept for resuming). A folder without a matching manifest does not
count. Listing needs no torch.
"""

import contextlib
import fnmatch
import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_core.checkpoints.manifest import Channels, Manifest, sum_of
from cifar_core.errors import CheckpointError
from cifar_core.records import layout
from cifar_core.system.files import NotRegularError, read_regular
from cifar_core.system.json_files import read_typed

if TYPE_CHECKING:
    from torch import Tensor, nn

KEEP_LAST = 2  # the newest checkpoint to resume from, and the one before
MAX_FILE_BYTES = 2**32  # of one file; the largest of ours, with optimizer and EMA, has 340 MB


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that counts: its manifest is whole.

    Attributes:
        split: Which images it is asked about; they may be normalized each by their own statistics.
    """

    path: Path
    manifest: Manifest
    split: str = "train"

    def for_split(self, split: str) -> "Checkpoint":
        """The same checkpoint, to be asked about the images of this split."""
        return replace(self, split=split)

    @property
    def normalization(self) -> tuple[Channels, Channels]:
        """Mean and std with which the images of its split are normalized."""
        manifest = self.manifest
        if self.split == "test" and manifest.test_mean and manifest.test_std:
            return manifest.test_mean, manifest.test_std
        return manifest.mean, manifest.std

    @property
    def name(self) -> str:
        """The folder's name, unique in its run, such as "last-0000390"."""
        return self.path.name

    @property
    def role(self) -> str:
        """One of "last", "best" and "epoch"."""
        return self.manifest.role

    @property
    def step(self) -> int:
        """Optimizer steps taken."""
        return self.manifest.step

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return self.manifest.epoch

    @property
    def weights_sha256(self) -> str:
        """The sum of the weights that are evaluated: by it results name what they are of."""
        sums = self.manifest.sha256
        if layout.WEIGHTS in sums:
            return sums[layout.WEIGHTS]
        shards = [sums[name] for name in self.weight_files]
        return hashlib.sha256("".join(shards).encode()).hexdigest() if shards else ""

    @property
    def weight_files(self) -> list[str]:
        """The file of the weights that are evaluated, or the files of their parts, in order."""
        sums = self.manifest.sha256
        shards = sorted(fnmatch.filter(sums, layout.SHARD_PATTERN))
        return [layout.WEIGHTS] if layout.WEIGHTS in sums else shards


def list_checkpoints(run_dir: Path, role: str | None = None) -> list[Checkpoint]:
    """The checkpoints of a run that have a manifest, oldest first."""
    checkpoints = []
    for manifest in run_dir.glob(f"{role or '[!.]*'}-*/{layout.MANIFEST}"):
        with contextlib.suppress(CheckpointError):
            checkpoints.append(read_checkpoint(manifest.parent))
    return sorted(checkpoints, key=lambda c: (c.step, c.role))


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a manifest; the sums are compared when the weights are loaded.

    Raises:
        CheckpointError: if there is no manifest that can be read.
    """
    manifest = read_typed(path / layout.MANIFEST, Manifest, CheckpointError, "Choose another one.")
    if manifest is None or manifest.sum != sum_of(manifest):
        raise CheckpointError(f"{path.name} is not a complete checkpoint. Choose another one.")
    return Checkpoint(path, manifest)


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
    raise CheckpointError(f"There is no checkpoint {text!r}. Available: {names}.")


def load_model(checkpoint: Checkpoint) -> "nn.Module":
    """The model with the weights that were evaluated, on the CPU, in eval mode.

    Raises:
        CheckpointError: if a file is missing, damaged, or of another model.
    """
    from cifar_core.models import create_model

    manifest = checkpoint.manifest
    model = create_model(manifest.model, len(manifest.classes))
    load_weights(checkpoint, model)
    return model.eval()


def load_weights(checkpoint: Checkpoint, model: "nn.Module") -> None:
    """Puts the weights that were evaluated into a model of the same kind.

    Raises:
        CheckpointError: if a file is missing, damaged, or of another model.
    """
    weights = {
        name: values
        for file in checkpoint.weight_files
        for name, values in read_weights(checkpoint, file).items()
    }
    if not all(values.isfinite().all() for values in weights.values()):
        told = f"{checkpoint.name} has weights that are not finite numbers: the training diverged."
        raise CheckpointError(f"{told} Choose another checkpoint, or a lower lr.")
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise CheckpointError(
            f"{checkpoint.name} has the weights of a {checkpoint.manifest.model}, which do not fit "
            "this model. Choose another checkpoint."
        ) from None


def read_weights(checkpoint: Checkpoint, name: str) -> "dict[str, Tensor]":
    """The tensors of a file of weights, on the CPU.

    Raises:
        CheckpointError: if it is missing, damaged, or no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(verified(checkpoint, name))
    except (SafetensorError, KeyError) as error:  # KeyError: a dtype that torch does not have
        told = f"{checkpoint.name}/{name} is damaged: {error}. Choose another checkpoint."
        raise CheckpointError(told) from None


def verified(checkpoint: Checkpoint, name: str) -> bytes:
    """The content of a file of a checkpoint, its sum compared.

    Raises:
        CheckpointError: if it is missing or not what was written.
    """
    try:
        content = read_regular(checkpoint.path / name, MAX_FILE_BYTES)
    except (OSError, ValueError, NotRegularError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(
            f"{checkpoint.name}/{name} cannot be read ({reason}). Choose another checkpoint."
        ) from None
    if content is None:
        raise CheckpointError(f"{checkpoint.name}/{name} is missing. Choose another checkpoint.")
    if hashlib.sha256(content).hexdigest() != checkpoint.manifest.sha256.get(name):
        raise CheckpointError(
            f"{checkpoint.name}/{name} is damaged: its SHA-256 is not the one in the manifest. "
            "Choose another checkpoint."
        )
    return content


def remove_checkpoints(run_dir: Path) -> None:
    """Deletes all checkpoints of a run and what was made from them; its records stay."""
    made = (layout.EPOCHS, layout.PREDICTIONS, layout.SELECTIONS)
    patterns = ("last-*", "best-*", "epoch-*", *made, ".*.draft")
    for path in [path for pattern in patterns for path in run_dir.glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
