"""An LR test of `resnet18`: beside as many steps of training, and torch-lr-finder used plainly."""

import contextlib
import io
import itertools
from collections.abc import Callable

from benchmarks.frame import Bar, Measured, Unequal, in_turns
from benchmarks.steps import BATCH_SIZE
from benchmarks.textbook import check, endless_batches
from benchmarks.train_process import AsWorker

# Half of what a test has by default: 15 minutes instead of 30, and what it takes to build the model
# weighs twice as much, so that it is the harder of the two.
NUM_STEPS, QUICK_STEPS = 50, 10
STEPS = "as many training steps of the engine"
PLAIN = "torch-lr-finder used plainly (fp32, NCHW, 2 loader workers, torchvision)"


def measure(quick: bool) -> list[Measured]:
    """From nothing to the last point: the model is built in it, too.

    Raises:
        Unequal: if the engine, given the textbook loop's batches, has other losses.
    """
    num_steps = QUICK_STEPS if quick else NUM_STEPS
    checked = check("resnet18")
    with contextlib.ExitStack() as stack:
        ours, engine = (
            stack.enter_context(AsWorker(kind, "resnet18", num_steps))
            for kind in ("lr test", "engine")
        )
        ours_s, engine_s, plain_s = in_turns([ours, engine, plain_test(num_steps)], quick)
    what = f"LR test of {num_steps} steps, resnet18, batch {BATCH_SIZE}"
    num_images = num_steps * BATCH_SIZE
    return [
        Measured(what, STEPS, checked, ours_s, engine_s, Bar(min_ratio=1 / 1.1), num_images),
        Measured(what, PLAIN, checked, ours_s, plain_s, Bar(min_ratio=2.5), num_images),
    ]


def plain_test(num_steps: int) -> Callable[[], None]:
    """The library as its README uses it."""
    import torch

    from cifar_core.lr_finder.range_test import library
    from cifar_core.models import create_model

    LRFinder, TrainDataLoaderIter = library()
    loader = endless_batches()

    def test() -> None:
        network = create_model("resnet18")
        optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9, weight_decay=5e-4)
        finder = LRFinder(network, optimizer, torch.nn.CrossEntropyLoss(), device="cpu")
        batches = TrainDataLoaderIter(itertools.chain(loader), auto_reset=False)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            finder.range_test(batches, end_lr=1e-3, num_iter=num_steps, diverge_th=1000)
        if len(finder.history["loss"]) != num_steps:
            raise Unequal("the library's test ended early")
        finder.reset()

    test()
    return test
