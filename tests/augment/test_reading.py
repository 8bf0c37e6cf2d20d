"""A spec read from text and files: what this app and albumentations wrote, or a sentence."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from cifar_core.augment import PRESETS, AugmentSpec, Operation, exchange, read_spec, spec_from_text
from cifar_core.augment.pipeline import library
from cifar_core.augment.reading import read_text
from cifar_core.augment.spec import MAX_OPERATIONS
from cifar_core.config.train import make_config
from cifar_core.errors import ConfigError, DataError
from tests.augment.built import (
    CORNERS,
    DATA,
    MEAN,
    PIXEL,
    SPECS,
    at_corner,
    file_of,
    of,
    pairs,
    pipeline,
    saved,
)


def refusal(text: str) -> str:
    """The sentence with which a text is refused."""
    with pytest.raises(ConfigError) as caught:
        read_text(text, DATA)
    return str(caught.value)


@pytest.mark.parametrize("name", SPECS)
def test_out_and_in_again_is_the_same_hash(name: str) -> None:
    spec = SPECS[name]
    lines: dict[str, Any] = {}
    exec(exchange.to_python(spec, MEAN), lines)
    for text in (
        exchange.to_json(spec, MEAN),
        exchange.to_yaml(spec, MEAN),
        saved(lines["transform"]),
        saved(lines["transform"], "yaml"),
        spec.to_json(),
        yaml.safe_dump(json.loads(spec.to_json())),
        json.dumps({"hash": spec.digest, **json.loads(spec.to_json())}),
    ):
        reading = read_text(text, DATA)
        assert reading.spec == spec
        assert reading.spec.digest == spec.digest
        assert reading.notes == ()


@pytest.mark.parametrize("name", [*PIXEL, "one of", "some of"])
def test_what_albumentations_saves_of_an_operation_is_read(name: str) -> None:
    specs = [of(at_corner(name, c)) for c in CORNERS] if name in PIXEL else [SPECS[name]]
    for spec in specs:
        for data_format in ("json", "yaml"):
            reading = read_text(saved(pipeline(spec), data_format), DATA)
            assert reading.spec == spec, data_format
            assert reading.notes == ()


def test_what_albumentations_saves_of_two_operations_is_read(full: bool) -> None:
    """Every pair under --full, in both formats; else every tenth, as JSON."""
    for spec in itertools.islice(pairs(), 0, None, 1 if full else 10):
        for data_format in ("json", "yaml") if full else ("json",):
            assert read_text(saved(pipeline(spec), data_format), DATA).spec == spec


def test_the_defaults_of_albumentations_are_read_but_for_one() -> None:
    refused = []
    for name in [name for name in PIXEL if name not in ("PadCrop", "Cutout")]:
        size = {"size": (32, 32)} if name == "RandomResizedCrop" else {}
        transform = getattr(library(), name)(**size)
        try:
            (operation,) = read_text(saved(library().Compose([transform])), DATA).spec.operations
            assert operation.name == name
            assert operation.p == transform.p
        except ConfigError:
            refused.append(name)
    assert refused == ["GridDropout"]  # its cells have one size, here they have a range of sizes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not valid JSON"),
        ("a: [", "neither JSON nor YAML"),
        ("3", "This is not an augmentation"),
        ("a: &a [1]\nb: *a", "aliases"),
        ("[" * 5000, "nested too deep"),
        ("a: " + "[" * 5000, "nested too deep"),
        ("a: " + "[" * 50_000, "nested too deep"),
        ('{"operations":' + "[" * 900 + "]" * 900 + "}", "nested too deep"),
        ("x" * 100_002, "100,000 characters"),
        ("[" + " " * 1_000_002, "1,000,000 characters"),
        (file_of(*[{"__class_fullname__": "Blur", "p": 1}] * 3000), "3,000 transforms; a spec has"),
        ("operations: [2020-01-01]", "operations"),
        ('{"operations": [], "hash": "3f"}', "is not the hash of these operations"),
        ('{"operations": [], "hash": [1]}', "is not the hash of these operations"),
        ('{"operations": [{"name": "Nothing"}]}', "Unknown operation 'Nothing'"),
        ('{"transform": {"__class_fullname__": "OneOf", "transforms": []}}', "'OneOf' alone"),
        ('{"transform": [1]}', "This is not an augmentation"),
        (file_of(p=0.5), "only p = 1"),
    ],
)
def test_what_is_no_spec_is_a_sentence(text: str, told: str) -> None:
    assert told in refusal(text)


def test_a_spec_has_a_bounded_number_of_operations_members_included() -> None:
    flip = {"name": "HorizontalFlip"}
    most = {"operations": [flip] * (MAX_OPERATIONS - 9)}
    most["operations"].append({"name": "OneOf", "operations": [flip] * 8})  # pyright: ignore[reportArgumentType] # JSON
    spec = read_text(json.dumps(most), DATA).spec
    assert read_text(exchange.to_json(spec, MEAN), DATA).spec == spec
    most["operations"].append(flip)
    assert f"{MAX_OPERATIONS + 1} operations; give at most {MAX_OPERATIONS}" in refusal(
        json.dumps(most)
    )
    assert "3,000 operations; give" in refusal(json.dumps({"operations": [flip] * 3000}))


def test_the_longest_spec_fits_in_every_format() -> None:
    affine = Operation(name="Affine", p=1 / 3, params={"rotate": (-math.pi, math.e)})
    spec = of(*[affine] * MAX_OPERATIONS)
    for text in (exchange.to_json(spec, MEAN), exchange.to_yaml(spec, MEAN), spec.to_json()):
        assert read_text(text, DATA).spec == spec


@pytest.mark.parametrize("ending", ["json", "JSON", "yaml", "yml"])
def test_a_file_is_read_by_its_path(tmp_path: Path, ending: str) -> None:
    spec, file = PRESETS["s9_sepnet"], tmp_path / f"spec.{ending}"
    write = exchange.to_json if ending.casefold() == "json" else exchange.to_yaml
    file.write_text(write(spec, MEAN), encoding="utf-8-sig")
    with pytest.raises(DataError):  # the fill may be the mean of data that is not there
        read_spec(str(file), str(tmp_path))
    black = of(Operation(name="Cutout", params={"fill": "black"}), Operation(name="Rotate"))
    file.write_text(write(black, MEAN))
    assert read_spec(str(file), str(tmp_path)).spec == black
    assert make_config({"augment": str(file)}).augment == black


def test_the_mean_is_that_of_the_data_set_in_the_settings(tmp_path: Path) -> None:
    from cifar_core.data import open_dataset
    from cifar_core.data.dataset import mean_color

    spec, file = PRESETS["s9_sepnet"], tmp_path / "spec.yaml"
    file.write_text(exchange.to_yaml(spec, mean_color(open_dataset("shapes10"))))
    assert make_config({"data": "shapes10", "augment": str(file)}).augment == spec
    assert spec_from_text(str(file), "shapes10") == spec


def test_a_path_that_is_no_file_of_a_spec_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    large = tmp_path / "large.json"
    large.write_bytes(b'{"operations": [' + b" " * 3_000_000)
    for path, told in {
        tmp_path / "folder.json": "There is no file",
        tmp_path / "missing.yaml": "There is no file",
        tmp_path / f"{'x' * 5000}.json": "cannot be read (File name too long)",
        tmp_path / "a\0b.json": "There is no file",
        tmp_path / "spec.py": "is Python, which is not run here",
        large: "1,000,000 characters",
    }.items():
        with pytest.raises(ConfigError) as caught:
            spec_from_text(str(path))
        assert told in str(caught.value)


def test_names_and_json_are_read() -> None:
    assert spec_from_text("standard") is PRESETS["standard"]
    assert spec_from_text("\ufeff " + PRESETS["strong"].to_json()) == PRESETS["strong"]
    assert spec_from_text(exchange.to_json(of(), MEAN)) == AugmentSpec()
