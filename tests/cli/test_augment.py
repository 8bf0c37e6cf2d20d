"""`augment`: what a spec is and draws, and specs as files that every command reads."""

import json
from pathlib import Path

import pytest

from cifar_core.augment import PRESETS
from cifar_core.cli.main import build_parser, main
from cifar_core.cli.settings import read_config
from tests.cli.calls import out


def test_augment_lists_shows_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "s9_sepnet" in out(capsys, "augment")
    spec = json.loads(out(capsys, "augment", "standard", "--json"))
    assert [op["name"] for op in spec["operations"]] == ["PadCrop", "HorizontalFlip"]
    sheet = tmp_path / "sheet.png"
    out(capsys, "augment", "s9_sepnet", "--data", "shapes10", "--out", str(sheet))
    assert sheet.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["json", "yaml", "yml"])
@pytest.mark.parametrize("name", ["s9_sepnet", "s8_resnet18"])
def test_every_command_reads_the_spec_that_one_wrote(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, name: str
) -> None:
    file, words = tmp_path / f"spec.{kind}", ("--data", "shapes10")
    out(capsys, "augment", name, *words, "--export", str(file))
    digest = PRESETS[name].digest
    assert f"hash  {digest[:12]}\n" in out(capsys, "augment", str(file), *words)
    for command in ("train", "lr-find"):
        options = build_parser().parse_args([command, *words, "--augment", str(file)])
        assert read_config(options).augment.digest == digest, command
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"data": "shapes10", "augment": str(file)}))
    options = build_parser().parse_args(["train", "--config", str(settings)])
    assert read_config(options).augment.digest == digest


def test_augment_reads_what_it_printed_and_says_what_it_leaves_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "spec.json"
    file.write_text(out(capsys, "augment", "strong", "--json"))
    assert PRESETS["strong"].digest[:12] in out(capsys, "augment", str(file))
    flip, normalize = ({"__class_fullname__": n, "p": 1} for n in ("HorizontalFlip", "Normalize"))
    steps = {"__class_fullname__": "Compose", "p": 1, "transforms": [flip, normalize]}
    file.write_text(json.dumps({"transform": steps}))
    assert main(["augment", str(file)]) == 0
    assert "Left out: Normalize; " in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["json", "yaml", "py"])
def test_a_spec_leaves_in_albumentations_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"spec.{kind}"
    words = ["augment", "strong", "--data", "shapes10", "--export", str(file)]
    assert main(words) == 0
    assert "Not included: normalization, CutMix" in capsys.readouterr().err
    assert "ColorJitter" in file.read_text(encoding="utf-8")
    assert main([*words[:-1], str(tmp_path / "spec.txt")]) == 2
    assert "has to end in .json or .yaml or .yml or .py" in capsys.readouterr().err
