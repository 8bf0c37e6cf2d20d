"""A spec in albumentations' words gives the same pixels there; what is left out is told."""

import json
import warnings
from typing import Any

import numpy as np
import pytest

from cifar_core.augment import PRESETS, exchange
from cifar_core.augment.pipeline import compose, library
from cifar_core.augment.reading import read_text
from tests.augment.built import DATA, MEAN, SPECS, of, pipeline
from tests.made_up_data import made_up_split


@pytest.mark.parametrize("name", SPECS)
def test_what_the_library_reads_and_what_the_lines_build_give_our_pixels(name: str) -> None:
    spec, image, A = SPECS[name], made_up_split(1, 3).images[0], library()
    lines: dict[str, Any] = {}
    exec(exchange.to_python(spec, MEAN), lines)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = A.from_dict(json.loads(exchange.to_json(spec, MEAN)))
    for seed in range(6):
        results = []
        for steps in (compose(spec, MEAN), read, lines["transform"], pipeline(spec)):
            steps.set_random_seed(seed)
            results.append(steps(image=image)["image"])
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)


def test_it_says_what_is_left_out() -> None:
    assert exchange.not_exported(PRESETS["standard"]).endswith("Not included: normalization.")
    assert "normalization, CutMix." in exchange.not_exported(PRESETS["strong"])
    pixel = of(*PRESETS["strong"].pixel)
    assert read_text(exchange.to_json(PRESETS["strong"], MEAN), DATA).spec == pixel
