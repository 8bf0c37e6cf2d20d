"""10,000 images through resnet18: what an evaluation job does, against a plain DataLoader loop."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.frame import Bar, Measured, Unequal, interleave

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from cifar_core.checkpoints.checkpoint import Checkpoint
    from cifar_core.evaluation.predictions import EvalSplit

Floats = NDArray[np.float32]
NUM_IMAGES, QUICK_IMAGES, COMPARED, LIMIT_S = 10_000, 1_000, 500, 25.0
# Without training all classes are about as probable: bf16 tips some.
MAX_DIFFERENCE, MIN_AGREEMENT = 1e-3, 0.95


def measure(quick: bool) -> list[Measured]:
    """The table of a checkpoint, from its weights on disk to the last log-probability.

    Raises:
        Unequal: if fp32 differs from the peer, or too many classes in the precision used do.
    """
    from cifar_core.system.runtime import choose_runtime

    count = QUICK_IMAGES if quick else NUM_IMAGES
    runtime = choose_runtime()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = _checkpoint(Path(folder))
        few, all_of_them = _examples(COMPARED), _examples(count)
        plain = ours(checkpoint, few, "fp32"), peer(checkpoint, few, runtime.device)
        checked = compare(*plain, ours(checkpoint, few, "auto"))
        ours_s, peer_s = interleave(
            lambda: ours(checkpoint, all_of_them, "auto"),
            lambda: peer(checkpoint, all_of_them, runtime.device),
            quick,
        )
    what = f"{count:,} images evaluated, resnet18, {runtime.precision} on {runtime.device}"
    bar = Bar(max_s=LIMIT_S * count / NUM_IMAGES)
    return [Measured(what, "DataLoader loop, fp32", checked, ours_s, peer_s, bar)]


def _checkpoint(folder: Path) -> "Checkpoint":
    """Seeded weights as a run keeps them."""
    import torch
    from safetensors.torch import save

    from cifar_core.checkpoints.checkpoint import Checkpoint
    from cifar_core.checkpoints.manifest import Manifest
    from cifar_core.data import open_dataset
    from cifar_core.models import create_model

    torch.manual_seed(0)
    data, weights = open_dataset("shapes10"), save(create_model("resnet18").state_dict())
    (folder / "weights.safetensors").write_bytes(weights)
    manifest = Manifest(
        role="best",
        epoch=0,
        step=0,
        model="resnet18",
        data=data.title,
        fingerprint=data.fingerprint,
        classes=data.classes,
        mean=tuple(data.mean.tolist()),
        std=tuple(data.std.tolist()),
        sha256={"weights.safetensors": hashlib.sha256(weights).hexdigest()},
    )
    return Checkpoint(folder, manifest)


def _examples(count: int) -> "EvalSplit":
    """Training images of Shapes-10, which has too few test images."""
    from cifar_core.data import open_dataset
    from cifar_core.evaluation.predictions import EvalSplit

    data, rows = open_dataset("shapes10"), np.arange(count)
    labels = data.train.labels[rows]
    return EvalSplit("train", data.classes, data.fingerprint, data.train.images, labels, rows)


def ours(checkpoint: "Checkpoint", examples: "EvalSplit", precision: str) -> Floats:
    """(N, K) log-probabilities as an evaluation job makes them."""
    from cifar_core.config.train import make_config
    from cifar_core.evaluation.predictor import predict_split

    config = make_config({"model": "resnet18", "precision": precision})
    log_probs = np.empty((len(examples.labels), len(examples.classes)), np.float32)
    for _ in predict_split(checkpoint, config, examples, log_probs):
        pass
    return log_probs


@dataclass(frozen=True)
class Photos:
    """One image and its label at a time, as torchvision's CIFAR10 gives them."""

    examples: "EvalSplit"
    transform: "Callable[[Image.Image], Tensor]"

    def __len__(self) -> int:
        return len(self.examples.labels)

    def __getitem__(self, row: int) -> "tuple[Tensor, int]":
        image = Image.fromarray(self.examples.images[self.examples.indices[row]])
        return self.transform(image), int(self.examples.labels[row])


def peer(checkpoint: "Checkpoint", examples: "EvalSplit", device: str) -> Floats:
    """(N, K) log-probabilities as a tutorial makes them."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision import transforms

    from cifar_core.checkpoints.checkpoint import load_model

    mean, std = checkpoint.manifest.mean, checkpoint.manifest.std
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    photos = Photos(examples, prepare)
    model = load_model(checkpoint).to(device)
    model.eval()
    found = []
    with torch.no_grad():
        for images, _ in DataLoader(photos, batch_size=500):  # pyright: ignore[reportArgumentType] # it asks for no more than length and items
            found.append(torch.log_softmax(model(images.to(device)), dim=1).cpu())
    return torch.cat(found).numpy()


def compare(exact: Floats, plain: Floats, used: Floats) -> str:
    """How (N, K) log-probabilities of ours in fp32, of the peer, and of ours as timed agree.

    Raises:
        Unequal: if they do not.
    """
    difference = np.abs(exact - plain).max()
    same = (used.argmax(axis=1) == plain.argmax(axis=1)).mean()
    found = (
        f"of {len(plain)} images, log-probabilities in fp32 differ by at most {difference:.1e} and "
        f"{same:.1%} of the predicted classes are the same as timed"
    )
    # Written so that NaN fails, too.
    if not (difference <= MAX_DIFFERENCE and same >= MIN_AGREEMENT):
        raise Unequal(found)
    return found
