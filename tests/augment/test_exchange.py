"""A spec in albumentations' words and back: the same spec, the same pixels, or a sentence."""

import copy
import json
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import yaml

from cifar_core.augment import CATALOG, PRESETS, AugmentSpec, Operation, exchange
from cifar_core.augment.pipeline import compose, library
from cifar_core.errors import ConfigError
from tests.made_up_data import made_up_split

MEAN = (125, 123, 114)
ALONE = [name for name, t in CATALOG.items() if not t.holds and t.group != "Mixing"]


def of(*operations: Operation) -> AugmentSpec:
    return AugmentSpec(operations=operations)


def choice(name: str, *names: str, **params: Any) -> Operation:
    members = tuple(Operation(name=member) for member in names)
    return Operation(name=name, p=0.7, params=params, operations=members)


SPECS = {
    **{name: of(Operation(name=name, p=0.35)) for name in ALONE},
    **{name: spec for name, spec in PRESETS.items() if not spec.mixing},
    "crop of p 1": of(Operation(name="PadCrop", params={"padding": 3, "mode": "reflect"})),
    "black cutout": of(Operation(name="Cutout", params={"fill": "black", "size": 5})),
    "mean cutout": of(Operation(name="Cutout", params={"fill": "mean", "size": 5})),
    "green holes": of(Operation(name="CoarseDropout", params={"fill": (0, 255, 3)})),
    "one of": of(choice("OneOf", "PadCrop", "Cutout", "Rotate"), Operation(name="ToGray")),
    "some of": of(choice("SomeOf", "HorizontalFlip", "Blur", "CLAHE", n=2)),
    "twice": of(Operation(name="Cutout"), Operation(name="Cutout", p=0.1)),
}


@pytest.mark.parametrize("name", SPECS)
def test_out_and_in_again_is_the_same_hash(name: str) -> None:
    spec = SPECS[name]
    for text in (
        exchange.to_json(spec, MEAN),
        exchange.to_yaml(spec, MEAN),
        spec.to_json(),
        yaml.safe_dump(json.loads(spec.to_json())),
    ):
        again = exchange.from_text(text, MEAN)
        assert again == spec
        assert again.digest == spec.digest


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
        for pipeline in (compose(spec, MEAN), read, lines["transform"]):
            pipeline.set_random_seed(seed)
            results.append(pipeline(image=image)["image"])
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])


def test_it_says_what_is_left_out() -> None:
    assert exchange.not_exported(PRESETS["standard"]).endswith("Not included: normalization.")
    assert "normalization, CutMix." in exchange.not_exported(PRESETS["strong"])
    pixel = of(*PRESETS["strong"].pixel)
    assert exchange.from_text(exchange.to_json(PRESETS["strong"], MEAN), MEAN) == pixel


def test_what_happens_anyway_may_stand_at_the_end() -> None:
    A = library()
    steps = [A.HorizontalFlip(p=0.5), A.Normalize(), A.ToTensorV2()]
    text = json.dumps(A.to_dict(A.Compose(steps)))
    assert exchange.from_text(text, MEAN) == of(Operation(name="HorizontalFlip", p=0.5))


def saved(*steps: dict[str, Any], **whole: Any) -> str:
    """A Compose as a file of albumentations has it."""
    inside = {"__class_fullname__": "Compose", "p": 1.0, "transforms": list(steps), **whole}
    return json.dumps({"__version__": "2.0.8", "transform": inside})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "neither JSON nor YAML"),
        ("3", "This is not an augmentation"),
        ('{"transform": {"__class_fullname__": "OneOf", "transforms": []}}', "not an augmentation"),
        ('{"operations": [{"name": "Nothing"}]}', "Unknown operation 'Nothing'"),
        (saved(p=0.5), "only p = 1"),
        (saved({"__class_fullname__": "RandomSnow", "p": 0.5}), "RandomSnow is not supported"),
        (saved({"__class_fullname__": "ShiftScaleRotate", "p": 1}), "Give Affine with"),
        (saved({"p": 1}), "A transform without a name"),
        (saved({"__class_fullname__": "MixUp", "p": 1}), "MixUp is not supported"),
        (
            saved({"__class_fullname__": "Affine", "p": 1.0, "shear": [3.0, 9.0]}),
            "Affine with shear = [3.0, 9.0] is not supported; give",
        ),
        (
            saved({"__class_fullname__": "CoarseDropout", "p": 1.0, "max_holes": 3}),
            "CoarseDropout has no argument max_holes. It was renamed: give num_holes_range",
        ),
        (
            saved({"__class_fullname__": "ToGray", "p": 1.0, "strength": 3}),
            "has no argument strength",
        ),
        (
            saved({"__class_fullname__": "HorizontalFlip", "p": 2.0}),
            "0 to 1",
        ),
        (
            saved(
                {"__class_fullname__": "PadIfNeeded", "p": 1.0, "min_height": 41, "min_width": 41},
                {"__class_fullname__": "RandomCrop", "p": 1.0, "height": 32, "width": 32},
            ),
            "must pad all sides equally",
        ),
        (
            saved(
                {"__class_fullname__": "PadIfNeeded", "p": 1.0, "min_height": 40, "min_width": 40},
                {"__class_fullname__": "RandomCrop", "p": 1.0, "height": 28, "width": 28},
            ),
            "RandomCrop with height = 28 is not supported; give 32",
        ),
    ],
)
def test_what_cannot_be_imported_unchanged_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        exchange.from_text(text, MEAN)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a [1]\nb: *a", "aliases"),
        ("[" * 5000, "neither JSON nor YAML"),
        ("x" * 100_001, "100,001 characters"),
        ("operations: [2020-01-01]", "operations"),
        (saved(transforms=["HorizontalFlip"]), "a list of JSON objects"),
        (
            saved(transforms=[{"__class_fullname__": "OneOf", "transforms": 3}]),
            "a list of JSON objects",
        ),
        (saved({"__class_fullname__": "HorizontalFlip", "p": 1, "transforms": [{}]}), "name"),
        (
            saved(
                {
                    "__class_fullname__": "OneOf",
                    "p": 0.5,
                    "transforms": [
                        {"__class_fullname__": "PadIfNeeded", "p": 1.0, "min_height": 40},
                        {"__class_fullname__": "RandomCrop", "p": 1.0},
                    ],
                }
            ),
            "PadIfNeeded is not supported. Give PadCrop.",
        ),
    ],
)
def test_what_is_malformed_is_a_sentence(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        exchange.from_text(text, MEAN)
    assert told in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_changed_in_a_file_it_is_read_or_refused(seed: int) -> None:
    """Values of a good file put in the place of others: a spec or a sentence, nothing else."""
    random = np.random.default_rng(seed)
    texts = [exchange.to_json(SPECS[name], MEAN) for name in ("one of", "some of", "s9_sepnet")]
    outcomes = set()
    for _ in range(150):
        table = json.loads(texts[random.integers(len(texts))])
        places = list(_places(table))
        values = [holder[key] for holder, key in places]
        values += [None, "", -1, 1e9, [], {}, True, [1, 2, 3]]
        holder, key = places[random.integers(len(places))]
        holder[key] = copy.deepcopy(values[random.integers(len(values))])
        try:
            exchange.from_text(json.dumps(table), MEAN)
            outcomes.add("read")
        except ConfigError:
            outcomes.add("refused")
    assert "refused" in outcomes


def _places(table: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a table."""
    keys = table if isinstance(table, dict) else range(len(table))
    for key in keys:
        yield table, key
        if isinstance(table[key], dict | list):
            yield from _places(table[key])


def test_an_unused_argument_of_version_1_does_no_harm() -> None:
    text = saved({"__class_fullname__": "HorizontalFlip", "always_apply": False, "p": 0.5})
    assert exchange.from_text(text, MEAN) == of(Operation(name="HorizontalFlip", p=0.5))
    text = saved({"__class_fullname__": "HorizontalFlip", "always_apply": True, "p": 0.5})
    with pytest.raises(ConfigError, match=r"always_apply\. It was renamed: give p = 1"):
        exchange.from_text(text, MEAN)
