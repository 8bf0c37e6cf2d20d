"""A batch that is drawn again has the very pixels that a run was trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cifar_core.augment import preset
from cifar_core.data import Dataset
from cifar_core.errors import ConfigError
from cifar_core.training import batches as module
from cifar_core.training.batches import redraw
from tests.builders import config_of, trained


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """What is normalized, which is the last that happens to pixels as such."""
    found: list[Tensor] = []
    whole = module.kernels.normalize

    def noted(images: Tensor, *rest: Any) -> Tensor:
        found.append(images.clone())
        return whole(images, *rest)

    monkeypatch.setattr(module.kernels, "normalize", noted)
    return found


@pytest.mark.parametrize("name", ["none", "cutout", "eva_resnet18", "strong"])
def test_redrawn_pixels_equal_those_trained_on(
    tiny: Dataset, seen: list[Tensor], name: str
) -> None:
    config = config_of(augment=preset(name), epochs=2, num_workers=0)
    trained(config, tiny)
    steps = len(seen) // config.epochs
    assert steps > 1
    for epoch, step in ((0, 0), (0, steps - 1), (1, 1)):
        pixels, labels = redraw(config, tiny, epoch, step)
        assert pixels.dtype == np.uint8
        assert torch.equal(torch.from_numpy(pixels), seen[epoch * steps + step])
        assert len(labels) == config.batch_size


def test_labels_are_those_of_the_images(tiny: Dataset) -> None:
    config = config_of(augment=preset("none"))
    pixels, labels = redraw(config, tiny, 0, 0)
    known = {image.tobytes(): label for image, label in zip(*_arrays(tiny), strict=True)}
    assert [known[image.tobytes()] for image in pixels] == labels.tolist()


def _arrays(data: Dataset) -> tuple[Any, Any]:
    return data.train.images, data.train.labels.tolist()


@pytest.mark.parametrize(("epoch", "step"), [(-1, 0), (99, 0), (0, 9999), (0, -1)])
def test_a_batch_that_was_never_is_a_sentence(tiny: Dataset, epoch: int, step: int) -> None:
    with pytest.raises(ConfigError, match=f"There is no batch {step} in epoch {epoch}"):
        redraw(config_of(), tiny, epoch, step)


def test_the_global_generator_stays_as_it_was(tiny: Dataset, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    redraw(config_of(augment=preset("strong")), tiny, 0, 0)
    assert torch.equal(torch.random.get_rng_state(), before)
