"""Training steps: the engine beside a textbook loop, and beside nothing but the step itself."""

import contextlib
from typing import Any

from benchmarks.frame import Bar, Measured, in_turns
from benchmarks.steps import BATCH_SIZE, NUM_STEPS, QUICK_STEPS
from benchmarks.textbook import TEXTBOOK, check, textbook_steps
from benchmarks.train_process import AsWorker

BARE = "bare forward, backward, step on one constant batch"


def measure(quick: bool) -> list[Measured]:
    """`resnet18` in the precision and format that are chosen here.

    Raises:
        Unequal: if the engine, given the textbook loop's batches, has other losses.
    """
    from cifar_core.system.runtime import choose_runtime

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
