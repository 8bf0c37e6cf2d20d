"""The real CIFAR-10: recognised, whole, with the numbers that are known of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.cli.main import main
from cifar_core.data import CLASSES, Dataset, open_dataset
from cifar_core.data.split_build import OFFICIAL
from tests.cifar_forms import digests_of, open_at, order_of
from tests.made_up_data import write_folders

pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("real_cifar10")]

# ../shared/cifar10/README.md: mean and standard deviation, measured on all pixels.
KNOWN = {
    "train": ((0.49139968, 0.48215841, 0.44653091), (0.24703223, 0.24348513, 0.26158784)),
    "all": ((0.49186878, 0.48265391, 0.44717728), (0.24697121, 0.24338894, 0.26159259)),
}


def test_it_is_recognised_as_the_complete_data_set() -> None:
    data = open_dataset()
    assert data.title == "CIFAR-10"
    assert not data.modified
    assert data.train.fingerprint == OFFICIAL["train"]
    assert data.test.fingerprint == OFFICIAL["test"]
    assert data.train.counts.tolist() == [5000] * 10
    assert data.test.counts.tolist() == [1000] * 10
    digests = digests_of(data.test)
    assert digests == sorted(digests)


def test_stats_prints_the_known_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "stats", "--json"]) == 0
    stats = json.loads(capsys.readouterr().out)
    for name, (mean, std) in KNOWN.items():
        np.testing.assert_allclose(stats[name]["mean"], mean, rtol=0, atol=1e-6)
        np.testing.assert_allclose(stats[name]["std"], std, rtol=0, atol=1e-6)
    assert stats["classes"] == list(CLASSES)
    assert stats["counts"] == {"train": [5000] * 10, "test": [1000] * 10}
    assert main(["data", "stats"]) == 0
    text = capsys.readouterr().out
    assert "50,000 training and 10,000 test images" in text
    assert "0.49139968" in text


def test_all_60000_images_have_the_statistics_of_the_reference() -> None:
    """Published by one of the five reference systems, which computed them in single precision."""
    mean, std = open_dataset().statistics("all")[0]
    published = (0.49186864, 0.48265335, 0.44717798), (0.24697131, 0.24338901, 0.26159254)
    np.testing.assert_allclose(mean, published[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(std, published[1], rtol=0, atol=1e-6)


def test_some_of_it_as_class_folders_keeps_images_and_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = open_dataset()
    train, test = (
        replace(split, images=split.images[:size], labels=split.labels[:size])
        for split, size in ((data.train, 150), (data.test, 50))
    )
    some = Dataset("", CLASSES, train, test, "")
    folders = write_folders(tmp_path / "folders", some)
    monkeypatch.setenv("CIFAR_CACHE", str(tmp_path / "cache"))
    found = open_at(folders)
    assert found.title == "CIFAR-10 (modified copy: 150 + 50 images)"
    for got, want in ((found.train, some.train), (found.test, some.test)):
        # A part of what is sorted is sorted already: index i stays image i.
        assert order_of(want) == list(range(len(want)))
        np.testing.assert_array_equal(got.labels, want.labels)
        np.testing.assert_array_equal(got.images, want.images)
