"""Whatever stands anywhere in a file, it is read or refused in one sentence."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cifar_core.augment import AugmentSpec, Operation
from cifar_core.augment.reading import read_text
from cifar_core.errors import ConfigError
from tests.augment.built import DATA, PIXEL, SPECS, at_corner, file_of, of, pipeline, saved

# JSON of every type, and numbers at the edge of what Python and pydantic take.
VALUES: list[Any] = [
    *(None, True, "", "x" * 5000, "0.5", "\ud800", -1, 0.5, 1e9, 2**70, 10**400),
    *(float("inf"), float("nan"), [], [4], [1, 2, 3], [2, 1], [None, None], [[[]]], {}),
    *({"a": 1}, {"x": [1, 2]}, {"x": "a", "y": "a"}, json.loads("[" * 45 + "]" * 45)),
]
OF_THE_FILE = ("__version__", "bbox_params", "keypoint_params", "additional_targets")


def _places(table: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a table."""
    for key in list(table) if isinstance(table, dict) else range(len(table)):
        yield table, key
        if isinstance(table[key], dict | list):
            yield from _places(table[key])


def changed(table: Any, every: int) -> Iterator[str]:
    """The table with each value in each place; or every so manieth of these."""
    for number, (place, value) in enumerate(
        (place, value) for place in range(len(list(_places(table)))) for value in VALUES
    ):
        if number % every == 0:
            other = copy.deepcopy(table)
            holder, key = list(_places(other))[place]
            if key not in OF_THE_FILE:
                holder[key] = copy.deepcopy(value)
                yield json.dumps(other)


def outcomes(texts: Iterator[str]) -> set[str]:
    """Whether texts were read or refused; any other exception goes on."""
    seen = set()
    for text in texts:
        try:
            assert isinstance(read_text(text, DATA).spec, AugmentSpec)
            seen.add("read")
        except ConfigError as error:
            told = str(error)
            assert len(told) < 800, told
            assert "\n" not in told
            assert "InitSchema" not in told
            seen.add("refused")
    return seen


@pytest.mark.parametrize("name", [*PIXEL, "one of", "some of", "former affine"])
def test_whatever_is_changed_in_a_saved_pipeline_it_is_read_or_refused(
    name: str, full: bool
) -> None:
    spec = of(at_corner(name, "default")) if name in PIXEL else SPECS[name]
    table = json.loads(saved(pipeline(spec)))
    assert "refused" in outcomes(changed(table, every=1 if full else 11))


def test_whatever_is_changed_in_a_spec_it_is_read_or_refused(full: bool) -> None:
    former = Operation(name="Affine", params={"translate_percent": (0.0, 0.1)})
    holes = Operation(name="CoarseDropout", params={"fill": (1, 2, 3)})
    choice = Operation(name="OneOf", operations=(former, holes, Operation(name="Affine")))
    spec = of(Operation(name="PadCrop"), choice, Operation(name="CutMix"))
    table = {"hash": spec.digest, **json.loads(spec.to_json())}
    assert outcomes(changed(table, every=1 if full else 3)) == {"refused", "read"}


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["HorizontalFlip"], "a list of JSON objects"),
        (3, "a list of JSON objects"),
        (None, "a list of JSON objects"),
        ([{"__class_fullname__": "OneOf", "p": 1, "transforms": 3}], "a list of JSON objects"),
        ([{"__class_fullname__": [4], "p": 1}], "A transform without a name"),
    ],
)
def test_steps_that_are_none_are_refused(steps: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_text(file_of(transforms=steps), DATA)
