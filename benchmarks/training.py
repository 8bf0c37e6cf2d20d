"""Training steps: the engine beside a textbook loop, and beside nothing but the step itself."""

import contextlib
import copy
import itertools
import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.frame import Bar, Measured, Unequal, in_turns
from cifar_core.places import repository
from cifar_core.processes import environment

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cifar_core.batches import TrainingBatches
    from cifar_core.config import TrainConfig
    from cifar_core.data import Dataset
    from cifar_core.engine import TrainState

    Batch = tuple[Tensor, Tensor]

BATCH_SIZE, NUM_STEPS, QUICK_STEPS = 128, 12, 3
COMPARED_STEPS, MAX_DIFFERENCE = 4, 1e-4
BARE = "bare forward, backward, step on one constant batch"
TEXTBOOK = "textbook loop (fp32, NCHW, 2 loader workers, torchvision, .item() each step)"


def measure(quick: bool) -> list[Measured]:
    """`resnet18` in the precision and format that are chosen here.

    Raises:
        Unequal: if the engine, given the textbook loop's batches, has other losses.
    """
    from cifar_core.runtime import choose_runtime

    num_steps = QUICK_STEPS if quick else NUM_STEPS
    checked, num_images = check("resnet18"), num_steps * BATCH_SIZE
    runtime = choose_runtime()
    peak_flops = PeakFlops(runtime)
    kinds = ("engine", {}), ("engine", {"compile": True}), ("bare", {})
    with contextlib.ExitStack() as stack:
        ours = [
            stack.enter_context(AsWorker(kind, "resnet18", num_steps, **changes))
            for kind, changes in kinds
        ]
        textbook = textbook_steps("resnet18", num_steps)
        ours_s, compiled_s, bare_s, textbook_s, peak_s = in_turns(
            [*ours, textbook, peak_flops], quick
        )
    flops = num_images * training_flops("resnet18") / peak_flops.per_s(peak_s)
    what = f"resnet18, batch {BATCH_SIZE}, training, {runtime.precision} on {runtime.device}"
    limit = f"the measured {runtime.precision} peak"
    bar = Bar(min_ratio=2.8, min_share=0.6)
    return [
        Measured(name, peer, checked, mine, theirs, wanted, num_images, flops / min(mine), limit)
        for name, peer, mine, theirs, wanted in (
            (what, TEXTBOOK, ours_s, textbook_s, bar),
            (f"{what}, compiled", TEXTBOOK, compiled_s, textbook_s, bar),
            (what, BARE, ours_s, bare_s, Bar(min_ratio=0.96)),
        )
    ]


class PeakFlops:
    """A matrix product as large as a cache-friendly one may be: what the machine can do."""

    SIDE, TIMES = 2048, 8

    def __init__(self, runtime: Any) -> None:
        import torch

        kind = torch.bfloat16 if runtime.precision == "bf16" else torch.float32
        self.left = torch.randn(self.SIDE, self.SIDE, device=runtime.device).to(kind)
        self()

    def __call__(self) -> None:
        """Some products, one after the other."""
        for _ in range(self.TIMES - 1):
            self.left @ self.left  # pyright: ignore[reportUnusedExpression] # only the time counts
        (self.left @ self.left)[0, 0].item()  # waits for the device

    def per_s(self, seconds: tuple[float, ...]) -> float:
        """Floating-point operations per second, of the quickest time."""
        return self.TIMES * 2 * self.SIDE**3 / min(seconds)


def training_flops(model: str) -> float:
    """Floating-point operations of one image: two per multiply-add, three times the forward."""
    from cifar_core.models import create_model
    from cifar_core.models.summary import summarize

    return 6.0 * summarize(create_model(model)).macs


def made_config(model: str, num_steps: int, **changes: Any) -> "TrainConfig":
    """The settings that both loops follow."""
    from cifar_core.config import make_config

    plain = {"data": "shapes10", "schedule": "constant", "lr": 0.01, "val_size": 0}
    size = {"train_size": num_steps * BATCH_SIZE, "batch_size": BATCH_SIZE, "epochs": 2000}
    return make_config({"model": model, **plain, **size, **changes})


def state_of(config: "TrainConfig") -> "tuple[TrainState, TrainingBatches]":
    """A run before its first step."""
    from cifar_core.batches import TrainingBatches
    from cifar_core.engine import TrainState
    from cifar_core.runtime import choose_runtime

    runtime = choose_runtime(config.device, config.precision, config.memory_format)
    batches = TrainingBatches(config, images(), runtime)
    return TrainState(config, batches, runtime), batches


def images() -> "Dataset":
    """Those of Shapes-10, which everybody has."""
    from cifar_core.data import open_dataset

    return open_dataset("shapes10")


class AsWorker:
    """Steps in a process as a run's worker is one, to be used in a `with`; see `stepper`."""

    def __init__(self, kind: str, model: str, num_steps: int, **changes: Any) -> None:
        what = kind, model, str(num_steps), json.dumps(changes)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stepper", *what],
            cwd=repository(),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._hear()

    def __call__(self) -> None:
        """Takes the steps."""
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self._hear()

    def _hear(self) -> None:
        assert self.process.stdout
        while (said := self.process.stdout.readline()) != b"done\n":
            if not said:
                raise RuntimeError("the process that takes the steps ended")

    def __enter__(self) -> "AsWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def engine_steps(model: str, num_steps: int, **changes: Any) -> "tuple[Callable[[], None], Any]":
    """One epoch of `num_steps` steps of the engine each time it is called, and its runtime."""
    from cifar_core.engine import train_epoch

    config = made_config(model, num_steps, **changes)
    state, batches = state_of(config)

    def steps() -> None:
        deque(train_epoch(config, state, batches), maxlen=0)
        state.epoch += 1
        state.reset_sums()

    steps()
    return steps, batches.runtime


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
    """Crop, flip, tensor, normalise as torchvision has it, one image at a time in two workers."""
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


def bare_steps(model: str, num_steps: int) -> "Callable[[], None]":
    """Forward, backward, step on one constant batch, as fast as they go."""
    import torch
    import torch.nn.functional as F

    state, batches = state_of(made_config(model, 1))
    network, optimizer, runtime = state.model, state.optimizer, batches.runtime
    pixels, labels = next(batches.epoch(0))
    device, bf16 = runtime.torch_device, runtime.precision == "bf16"

    def steps() -> None:
        network.train()
        loss = torch.zeros(())
        for _ in range(num_steps):
            with torch.autocast(device.type, torch.bfloat16, bf16):
                logits = network(pixels)
            loss = F.cross_entropy(logits.float(), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        loss.item()

    steps()
    return steps


def check(model: str) -> str:
    """Compares the losses of the engine and of the textbook loop on the same batches, in fp32.

    Raises:
        Unequal: if they differ.
    """
    import torch

    from cifar_core.engine import train_epoch

    same = {"precision": "fp32", "memory_format": "contiguous", "weight_decay": 0.0}
    config = made_config(model, COMPARED_STEPS, **same)
    state, batches = state_of(config)
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
