"""Weights to start from: which will do, and whether the validation images are new to them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core.checkpoints.checkpoint import find_checkpoint
from cifar_core.cli.main import main
from cifar_core.config.train import TrainConfig
from cifar_core.data import open_dataset
from cifar_core.errors import ConfigError
from cifar_core.jobs.launch_checks import check_config
from cifar_core.jobs.starting_weights import form_warning, num_seen, run_warning
from cifar_core.runs.store import TrainingRun, read_run
from tests.apptest import app
from tests.real_jobs import rewrite, small


def held_out(config: TrainConfig) -> set[int]:
    """As the documentation of `seed` has it: the first images of a permutation."""
    order = np.random.default_rng(config.seed).permutation(len(open_dataset("shapes10").train))
    return set(order[: config.val_size].tolist())


def trained_on(config: TrainConfig) -> set[int]:
    order = np.random.default_rng(config.seed).permutation(len(open_dataset("shapes10").train))
    end = config.val_size + config.train_size
    return set(order[config.val_size : end].tolist())


def child_of(run_dir: Path, **changes: object) -> TrainConfig:
    weights = str(find_checkpoint(run_dir).path)
    return small(weights=weights, **changes)


def copy_of(run_dir: Path, name: str, config: TrainConfig) -> Path:
    """Another run, as if it had been trained with this config."""
    path = run_dir.with_name(f"20260103-000000-{name}")
    shutil.copytree(run_dir, path)
    rewrite(path, run_id=path.name, config=config.model_dump(mode="json"))
    rewrite(path, "name.json", name=name)
    return path


def test_validation_images_that_the_weights_have_seen_are_counted(copied: Path) -> None:
    parent = read_run(copied, TrainingRun).config
    assert num_seen(child_of(copied)) == 0
    for changes in ({"seed": 1}, {"val_size": 512}, {"seed": 7, "val_size": 5000}):
        child = child_of(copied, **changes)
        assert num_seen(child) == len(held_out(child) & trained_on(parent)) > 0, changes
    assert num_seen(child_of(copied, seed=1, val_size=0)) == 0
    assert num_seen(small(seed=1)) == 0


def test_the_weights_are_followed_to_the_first_run(copied: Path) -> None:
    first = read_run(copied, TrainingRun).config
    second = child_of(copied, seed=5)
    middle = copy_of(copied, "aaaa", second)
    third = child_of(middle, seed=6)
    both = trained_on(first) | trained_on(second)
    assert num_seen(third) == len(held_out(third) & both)
    assert num_seen(third) > len(held_out(third) & trained_on(second))
    shutil.rmtree(copied)
    assert num_seen(third) is None


def test_weights_of_other_data_have_seen_nothing(copied: Path) -> None:
    rewrite(copied, "status.json", fingerprint="0" * 32)
    assert num_seen(child_of(copied, seed=1)) == 0


def test_weights_that_name_each_other_end(copied: Path) -> None:
    config = child_of(copied, seed=1)
    rewrite(copied, config=config.model_dump(mode="json"))
    assert num_seen(config) is None


def test_the_form_the_run_and_the_command_line_say_so(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = child_of(copied, seed=1)
    seen = num_seen(config)
    sentence = f"{seen} of the 256 validation images were training images of the starting weights"
    advice = "With seed = 0, val_size = 256, the same images are held out as then."
    assert sentence in form_warning(copied.parent, small(weights="first", seed=1))
    assert not form_warning(copied.parent, small(weights="first"))
    assert not form_warning(copied.parent, small(weights="nobody"))
    child = copy_of(copied, "bbbb", config)
    rewrite(child, val_seen=seen)
    assert advice in run_warning(read_run(child, TrainingRun).request)
    main(["runs", "show", "bbbb"])
    assert f"{sentence}: the validation accuracy is too high" in capsys.readouterr().out
    at = app("train", run=child.name)
    assert [w for w in at.warning if sentence in str(w.value)]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_checkpoint_is_not_said_to_be_missing(
    copied: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "ckpt.pth"
    path.touch() if kind == "file" else path.mkdir()
    with pytest.raises(ConfigError, match="is no checkpoint of a training run"):
        check_config(copied.parent, small(weights=str(path)))


def test_a_runs_folder_stands_for_its_best_checkpoint(copied: Path) -> None:
    config, _ = check_config(copied.parent, small(weights=str(copied)))
    assert config.weights == str(find_checkpoint(copied, "best").path)
