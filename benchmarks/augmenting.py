"""Pad-4 crop, flip, cutout, normalize at 32x32 on one core: batched beside image by image."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.frame import Bar, Measured, Unequal, in_turns

if TYPE_CHECKING:
    from torch import Tensor

    from cifar_core.augment import AugmentSpec

NUM_IMAGES, QUICK_IMAGES, BATCH_SIZE, SIZE = 12_800, 1280, 128, 16
IMAGE_BYTES = 32 * 32 * 3 * (1 + 4)  # uint8 read, float32 written
MAX_DIFFERENCE = 1e-5
Images = NDArray[np.uint8]


def measure(quick: bool) -> list[Measured]:
    """Draws of its own for each image, from uint8 in memory to a normalized float batch.

    Raises:
        Unequal: if the ways differ where chance has no say.
    """
    import torch

    from benchmarks.steps import images

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        data = images()
        pixels = np.array(data.train.images[: QUICK_IMAGES if quick else NUM_IMAGES])
        mean, std = data.mean.astype(np.float32), data.std.astype(np.float32)
        checked = check(pixels[:BATCH_SIZE], mean, std)
        peers = {name: make(mean, std, True) for name, make in PEERS.items()}
        ours_s, copy_s, *peers_s = in_turns(
            [
                lambda: _through(batched(mean, std, True), pixels),
                _Copying(len(pixels)),
                *(lambda make=make: _through(make, pixels) for make in peers.values()),
            ],
            quick,
        )
    finally:
        torch.set_num_threads(threads)
    what = f"{len(pixels):,} images: crop, flip, cutout, normalize, one core"
    share, bar = min(copy_s) / min(ours_s), Bar(min_ratio=10)
    floor = f"the byte floor ({IMAGE_BYTES / 1024:.0f} KiB moved per image)"
    return [
        Measured(what, name, checked, ours_s, peer_s, bar, len(pixels), share, floor)
        for name, peer_s in zip(peers, peers_s, strict=True)
    ]


Way = Callable[[Images], "Tensor"]


def _through(way: Way, pixels: Images) -> None:
    for start in range(0, len(pixels), BATCH_SIZE):
        way(pixels[start : start + BATCH_SIZE])


class _Copying:
    """The bytes that cannot be saved: each image read once, its floats written once."""

    def __init__(self, num_images: int) -> None:
        import torch

        self.times = -(-num_images // BATCH_SIZE)
        self.pixels = torch.zeros(num_images, 32, 32, 3, dtype=torch.uint8)
        self.floats = torch.zeros(BATCH_SIZE, 32, 32, 3)

    def __call__(self) -> None:
        for number in range(self.times):
            part = self.pixels[number * BATCH_SIZE : (number + 1) * BATCH_SIZE]
            self.floats[: len(part)].copy_(part)


def _spec(random: bool) -> "AugmentSpec":
    from cifar_core.augment import AugmentSpec

    if not random:
        return AugmentSpec.model_validate({"operations": []})
    steps = [
        {"name": "PadCrop", "p": 1.0, "params": {"padding": 4}},
        {"name": "HorizontalFlip", "p": 0.5},
        {"name": "Cutout", "p": 1.0, "params": {"size": SIZE}},
    ]
    return AugmentSpec.model_validate({"operations": steps})


def batched(mean: Any, std: Any, random: bool) -> Way:
    """Ours: the kernels that training uses."""
    import torch

    from cifar_core.augment import kernels

    spec, color = _spec(random), torch.zeros(3, dtype=torch.uint8)
    means, stds = torch.from_numpy(mean), torch.from_numpy(std)

    def way(pixels: Images) -> "Tensor":
        draws = kernels.draw(spec, len(pixels), seed=0)
        return kernels.normalize(
            kernels.apply(torch.from_numpy(pixels), draws, color), means, stds
        ).contiguous(memory_format=torch.channels_last)

    return way


def with_albumentations(mean: Any, std: Any, random: bool) -> Way:
    """albumentations in a DataLoader of this process."""
    import albumentations as A

    steps: list[Any] = [A.Normalize(mean.tolist(), std.tolist()), A.ToTensorV2()]
    if random:
        hole = (SIZE, SIZE)
        steps = [
            A.Pad(4),
            A.RandomCrop(32, 32),
            A.HorizontalFlip(),
            A.CoarseDropout((1, 1), hole, hole, p=1),
            *steps,
        ]
    composed = A.Compose(steps)
    return _loaded(lambda image: composed(image=image)["image"])


def with_torchvision(mean: Any, std: Any, random: bool) -> Way:
    """torchvision's v2 on tensors in a DataLoader of this process."""
    import torch
    from torchvision.transforms import v2

    steps: list[Any] = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]
    if random:
        area = (SIZE / 32) ** 2
        erase = v2.RandomErasing(1.0, (area, area), (1.0, 1.0))
        steps = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(), erase, *steps]
    composed = v2.Compose(steps)
    return _loaded(lambda image: composed(torch.from_numpy(image).permute(2, 0, 1)))


def with_pillow(mean: Any, std: Any, random: bool) -> Way:
    """torchvision's first transforms on PIL images, as tutorials have it, in a DataLoader."""
    from PIL import Image
    from torchvision import transforms

    steps: list[Any] = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    if random:
        area = (SIZE / 32) ** 2
        erase = transforms.RandomErasing(1.0, (area, area), (1.0, 1.0))
        crop, flip = transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()
        steps = [crop, flip, *steps, erase]
    composed = transforms.Compose(steps)
    return _loaded(lambda image: composed(Image.fromarray(image)))


def _loaded(one: Callable[[Images], Any]) -> Way:
    from torch.utils.data import DataLoader

    class Augmented:
        def __init__(self, pixels: Images) -> None:
            self.pixels = pixels

        def __len__(self) -> int:
            return len(self.pixels)

        def __getitem__(self, index: int) -> Any:
            return one(self.pixels[index])

    def way(pixels: Images) -> "Tensor":
        return next(iter(DataLoader(Augmented(pixels), BATCH_SIZE)))  # pyright: ignore[reportArgumentType] # a map by its methods

    return way


PEERS: dict[str, Callable[[Any, Any, bool], Way]] = {
    "albumentations in a DataLoader": with_albumentations,
    "torchvision v2 in a DataLoader": with_torchvision,
    "PIL with torchvision in a DataLoader": with_pillow,
}


def check(pixels: Images, mean: Any, std: Any) -> str:
    """Compares the ways without their draws; tests compare the drawn kernels pixel by pixel.

    Raises:
        Unequal: if they differ.
    """
    ours, most = batched(mean, std, False)(pixels), 0.0
    for name, make in PEERS.items():
        found = (make(mean, std, False)(pixels) - ours).abs().max().item()
        if not found <= MAX_DIFFERENCE:  # written so that NaN fails, too
            raise Unequal(f"{name} differs by {found:.1e}")
        most = max(most, found)
    return f"without draws all ways give the same floats, to {most:.0e}"
