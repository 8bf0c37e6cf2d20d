"""The card of a model: both its forms say the same, in figures computed by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from cifar_core.errors import RunError
from cifar_core.report.card import ModelCard, read_card, write_card

CARD = ModelCard(
    run="20261127-000000-0001",
    name="cats and dogs",
    model="convnet",
    num_params=1_234_567,
    data="Two classes",
    fingerprint="0123",
    num_train=15_000,
    num_val=0,
    checkpoint="best",
    epoch=3,
    epochs=4,
    seed=7,
    command="python -m cifar_core train --seed 7",
    hardware="A machine, cpu, fp32",
    took_s=1_234.4,
    versions={"torch": "2.14.1", "numpy": "2.3.0"},
    classes=("cat", "dog"),
    test_acc=0.85,
    flip_acc=0.9,
    val_acc=None,
    matrix=((8, 2), (1, 9)),
)


def text_of(folder: Path, card: ModelCard) -> str:
    write_card(folder, card)
    return (folder / "README.md").read_text()


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    for card in (CARD, replace(CARD, took_s=None, val_acc=0.5, num_val=100)):
        write_card(tmp_path, card)
        assert read_card(tmp_path) == card


def test_the_text_has_the_figures(tmp_path: Path) -> None:
    """Wilson's interval of 17 in 20 with z = 1.96, by hand: (0.94604 +- 0.18361) / 1.19207."""
    lines = text_of(tmp_path, CARD).splitlines()
    assert "`convnet` (1,234,567 parameters) trained on Two classes." in lines
    assert "| Test accuracy | 85.00% (95% CI, Wilson: 63.96% to 94.76%), 20 images |" in lines
    assert "| Test accuracy, TTA (flip) | 90.00% |" in lines
    assert "| cat | 80.00% |" in lines  # 8 of the 10 that are cats, not of those predicted so
    assert "| dog | 90.00% |" in lines
    assert "| Checkpoint | best: epoch 3 of 4 |" in lines
    assert "| Time | 1,234 s |" in lines
    assert "| Versions | torch 2.14.1, numpy 2.3.0 |" in lines
    assert CARD.command in lines


def test_what_is_not_known_is_not_claimed(tmp_path: Path) -> None:
    text = text_of(tmp_path, CARD)
    assert "Validation accuracy" not in text
    assert "No validation images were held out" in text
    text = text_of(tmp_path, replace(CARD, val_acc=0.5, num_val=100, took_s=None))
    assert "| Validation accuracy | 50.00% |" in text
    assert "No validation images were held out" not in text
    assert "| Time | not known |" in text


@pytest.mark.parametrize("old", ['"format": 1', '"test_acc": 0.85', '"epochs": 4'])
def test_a_damaged_card_is_told_by_its_name(old: str, tmp_path: Path) -> None:
    write_card(tmp_path, CARD)
    path = tmp_path / "card.json"
    key = old.split(":")[0]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, f"{key}: 99.5"))
    with pytest.raises(RunError, match=r"card\.json"):
        read_card(tmp_path)
