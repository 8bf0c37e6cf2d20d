"""Derived seeds: none twice, the same for ever, and the generators put back."""

import contextlib
from itertools import product

import numpy as np
import pytest
import torch

from cifar_core.system.seeds import Purpose, derive_seed, seeded


@pytest.mark.parametrize("length", [0, 1, 2])
def test_seeds_of_different_places_differ(length: int) -> None:
    """Among paths of one length; SeedSequence does not tell () from (0,), and no purpose mixes."""
    paths = list(product(range(25), repeat=length))
    places = list(product((0, 1, 2**31 - 1), Purpose, paths))
    seeds = {derive_seed(seed, purpose, *path) for seed, purpose, path in places}
    assert len(seeds) == len(places)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seeds_stay_what_they_are() -> None:
    words = np.random.SeedSequence([7, 2, 3, 4]).generate_state(1, np.uint64)
    assert derive_seed(7, Purpose.AUGMENT, 3, 4) == int(words[0]) >> 1


def test_inside_seeded_the_stream_is_that_of_the_seed_and_outside_it_goes_on() -> None:
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(9)
    undisturbed = torch.rand(4)
    torch.manual_seed(9)
    first = torch.rand(2)
    with contextlib.suppress(RuntimeError), seeded(5, torch.device("cpu")):
        assert (torch.rand(4) == expected).all()
        raise RuntimeError("whatever happens inside")
    assert (torch.cat([first, torch.rand(2)]) == undisturbed).all()
