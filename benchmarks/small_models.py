"""Training steps of the two small networks: as chosen here, in fp32, compiled, each apart."""

import contextlib
from typing import Any

from benchmarks.frame import Bar, Measured, in_turns
from benchmarks.steps import BATCH_SIZE, NUM_STEPS, QUICK_STEPS
from benchmarks.textbook import TEXTBOOK, check, textbook_steps
from benchmarks.train_process import AsWorker

WAYS: dict[str, dict[str, Any]] = {
    "as chosen by the hardware": {},
    "fp32": {"precision": "fp32"},
    "as chosen, compiled": {"compile": True},
    "fp32, compiled": {"precision": "fp32", "compile": True},
}


def measure(quick: bool) -> list[Measured]:
    """`sepnet_v1` and `sepnet_v2`; what compiling takes is not in it.

    Raises:
        Unequal: if the engine, given the textbook loop's batches, has other losses.
    """
    return [line for model in ("sepnet_v1", "sepnet_v2") for line in _lines(model, quick)]


def _lines(model: str, quick: bool) -> list[Measured]:
    num_steps = QUICK_STEPS if quick else NUM_STEPS
    checked, num_images = check(model), num_steps * BATCH_SIZE
    with contextlib.ExitStack() as stack:
        ours = [
            stack.enter_context(AsWorker("engine", model, num_steps, **changes))
            for changes in WAYS.values()
        ]
        *times, peer_s = in_turns([*ours, textbook_steps(model, num_steps)], quick)
    return [
        Measured(
            f"{model}, batch {BATCH_SIZE}, training, {way}",
            TEXTBOOK,
            checked,
            ours_s,
            peer_s,
            Bar(min_ratio=1.8) if not WAYS[way] else Bar(),
            num_images,
        )
        for way, ours_s in zip(WAYS, times, strict=True)
    ]
