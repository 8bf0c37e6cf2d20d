"""Training steps of the two small networks: as chosen here, in fp32, compiled, each apart."""

from typing import Any

from benchmarks.frame import Bar, Measured, in_turns
from benchmarks.training import (
    BATCH_SIZE,
    NUM_STEPS,
    QUICK_STEPS,
    TEXTBOOK,
    check,
    engine_steps,
    textbook_steps,
)

WAYS: dict[str, dict[str, Any]] = {
    "as chosen": {},
    "fp32": {"precision": "fp32"},
    "as chosen, compiled": {"compile": True},
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
    ours = {way: engine_steps(model, num_steps, **changes) for way, changes in WAYS.items()}
    *times, peer_s = in_turns(
        [*(steps for steps, _ in ours.values()), textbook_steps(model, num_steps)], quick
    )
    return [
        Measured(
            f"{model}, batch {BATCH_SIZE}, training, {way}: {runtime.precision}",
            TEXTBOOK,
            checked,
            ours_s,
            peer_s,
            Bar(min_ratio=1.8),
            num_images,
        )
        for (way, (_, runtime)), ours_s in zip(ours.items(), times, strict=True)
    ]
