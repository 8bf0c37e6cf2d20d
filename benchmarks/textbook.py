"""The loop that tutorials have: one image at a time, fp32, a loss read at every step."""

import copy
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.frame import Unequal
from benchmarks.steps import BATCH_SIZE, images, made_config, state_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    Batch = tuple[Tensor, Tensor]

COMPARED_STEPS, MAX_DIFFERENCE = 4, 1e-4
TEXTBOOK = "textbook loop (fp32, NCHW, 2 loader workers, torchvision, .item() each step)"


def textbook_steps(model: str, num_steps: int) -> "Callable[[], None]":
    """The next `num_steps` steps of a loop as tutorials have it."""
    import torch

    from cifar_core.models import create_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = create_model(model).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    loader = endless_batches()

    def steps() -> None:
        textbook_loop(network, itertools.islice(loader, num_steps), optimizer, device)

    steps()
    return steps


def endless_batches() -> "Iterator[Batch]":
    """Crop, flip, tensor, normalize as torchvision has it, one image at a time in two workers."""
    from PIL import Image
    from torch.utils.data import DataLoader
    from torchvision import transforms

    data = images()
    steps = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(data.mean.tolist(), data.std.tolist()),
        ]
    )
    pairs = [
        (Image.fromarray(image), int(label))
        for image, label in zip(data.train.images, data.train.labels, strict=True)
    ]
    loader = DataLoader(
        pairs,  # pyright: ignore[reportArgumentType] # a list is a map from numbers
        BATCH_SIZE,
        shuffle=True,
        drop_last=True,
        num_workers=2,
        collate_fn=_Collated(steps),
        persistent_workers=True,
    )
    while True:
        yield from loader


class _Collated:
    """Augments and stacks; a class, since a worker must be able to receive it."""

    def __init__(self, steps: Callable[[Any], Any]) -> None:
        self.steps = steps

    def __call__(self, pairs: list[tuple[Any, int]]) -> "Batch":
        import torch

        stacked = torch.stack([self.steps(image) for image, _ in pairs])
        return stacked, torch.tensor([label for _, label in pairs])


def textbook_loop(
    model: "nn.Module", batches: "Iterable[Batch]", optimizer: Any, device: str
) -> list[float]:
    """The losses of a loop as tutorials have it."""
    import torch.nn.functional as F

    model.train()
    losses = []
    for pixels, labels in batches:
        pixels, labels = pixels.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(pixels), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def check(model: str) -> str:
    """Compares the losses of the engine and of the textbook loop on the same batches, in fp32.

    Raises:
        Unequal: if they differ.
    """
    import torch

    from cifar_core.training.engine import train_epoch

    same = {"precision": "fp32", "memory_format": "contiguous", "weight_decay": 0.0}
    config = made_config(model, COMPARED_STEPS, **same)
    state, batches = state_of(config)
    for module in state.model.modules():
        if isinstance(module, torch.nn.modules.dropout._DropoutNd):
            module.p = 0.0  # what each would drop is its own
    device = batches.runtime.device
    network = copy.deepcopy(state.model)
    # The engine's SGD is Nesterov's, which tutorials' is not; so both are here.
    optimizer = torch.optim.SGD(network.parameters(), config.lr, config.momentum, nesterov=True)
    plain = textbook_loop(network, batches.epoch(0), optimizer, device)
    deque(train_epoch(config, state, batches), maxlen=0)
    ours, mean = state.loss_sum.item() / state.num_seen, sum(plain) / len(plain)
    if not abs(ours - mean) <= MAX_DIFFERENCE:  # written so that NaN fails, too
        raise Unequal(f"the mean loss of {len(plain)} steps is {ours:.6f}, the peer's {mean:.6f}")
    return f"mean loss of {len(plain)} steps on the same batches in fp32 {ours:.5f}, {mean:.5f}"
