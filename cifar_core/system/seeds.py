"""All randomness derives from (seed, purpose, epoch, step), so that none has to be stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


class Purpose(IntEnum):
    """What a derived seed is for; two purposes never share a stream."""

    INIT = 0
    SHUFFLE = 1
    AUGMENT = 2
    MIX = 3
    DROPOUT = 4


def derive_seed(seed: int, purpose: Purpose, *path: int) -> int:
    """A 63-bit seed for one purpose at one place, for example (epoch, step).

    Source: NumPy's SeedSequence (O'Neill's seed_seq), whose outputs for different paths are
    independent for all practical purposes.
    """
    words = np.random.SeedSequence([seed, int(purpose), *path]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


@contextmanager
def seeded(seed: int, device: "torch.device") -> Iterator[None]:
    """Seeds torch's global generators inside the block and puts them back afterwards."""
    import torch

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
