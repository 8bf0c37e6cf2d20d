"""Checkpoints: what they hold, which are kept, what loads from them."""

import hashlib
import io
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cifar_core.checkpoints.checkpoint import (
    list_checkpoints,
    load_model,
    read_checkpoint,
    remove_checkpoints,
)
from cifar_core.checkpoints.manifest import Role
from cifar_core.errors import CheckpointError
from cifar_core.training.checkpointing import save_checkpoint
from tests.builders import DATA, FIGURES, SAVED, contents_of, state_at
from tests.waiting import LIMIT_S

LAST = {"weights.safetensors", "state.pt", "manifest.json"}


def same_weights(file: Path, model: torch.nn.Module) -> bool:
    weights, theirs = load_file(file), model.state_dict()
    return weights.keys() == theirs.keys() and all(
        torch.equal(value, theirs[name]) for name, value in weights.items()
    )


@pytest.mark.parametrize(
    ("role", "ema", "names"),
    [
        ("last", 0, LAST),
        ("last", 0.9, LAST | {"raw.safetensors"}),
        ("best", 0, {"weights.safetensors", "manifest.json"}),
        ("best", 0.9, {"weights.safetensors", "manifest.json"}),
    ],
)
def test_a_checkpoint_holds_what_its_role_needs_and_sums_that_match(
    tmp_path: Path, role: Role, ema: float, names: set[str]
) -> None:
    state = state_at(ema=ema)
    checkpoint = save_checkpoint(tmp_path, role, state, *SAVED)
    assert checkpoint.path == tmp_path / f"{role}-0000003"
    assert (checkpoint.role, checkpoint.step, checkpoint.epoch) == (role, 3, 1)
    contents = contents_of(checkpoint.path)
    assert set(contents) == names
    manifest = json.loads(contents.pop("manifest.json"))
    assert manifest == json.loads(json.dumps(asdict(checkpoint.manifest)))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    assert manifest["sha256"] == sums
    assert (manifest["model"], manifest["classes"]) == ("convnet", list(DATA.classes))
    assert (manifest["mean"], manifest["std"]) == ([0.5] * 3, [0.25] * 3)
    assert manifest["figures"] == asdict(FIGURES)
    assert list_checkpoints(tmp_path) == [checkpoint]
    assert same_weights(checkpoint.path / "weights.safetensors", state.eval_model)


def test_a_checkpoint_tells_how_the_images_of_a_split_are_normalized(tmp_path: Path) -> None:
    of_train, of_test = ((0.5,) * 3, (0.25,) * 3), ((0.4,) * 3, (0.2,) * 3)
    plain = save_checkpoint(tmp_path, "best", state_at(), *SAVED)
    separate = save_checkpoint(tmp_path, "last", state_at(), *SAVED, normalization="separate")
    assert (plain.manifest.test_mean, plain.manifest.test_std) == (None, None)
    for split in ("train", "val", "test"):
        assert plain.for_split(split).normalization == of_train
        expected = of_test if split == "test" else of_train
        assert separate.for_split(split).normalization == expected
    assert separate.normalization == of_train, "what is in no split is taken for a training image"


def test_a_manifest_that_was_written_before_there_was_a_choice_still_counts(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, "best", state_at(), *SAVED).path
    written = json.loads((path / "manifest.json").read_text())
    old = {name: value for name, value in written.items() if not name.startswith("test_")}
    unsealed = {name: value for name, value in old.items() if name != "sum"}
    assert hashlib.sha256(json.dumps(unsealed, sort_keys=True).encode()).hexdigest() == old["sum"]
    (path / "manifest.json").write_text(json.dumps(old))
    assert read_checkpoint(path).normalization == ((0.5,) * 3, (0.25,) * 3)
    separate = save_checkpoint(tmp_path, "last", state_at(), *SAVED, normalization="separate").path
    changed = json.loads((separate / "manifest.json").read_text()) | {"test_mean": [0.3] * 3}
    (separate / "manifest.json").write_text(json.dumps(changed))
    with pytest.raises(CheckpointError, match="not a complete checkpoint"):
        read_checkpoint(separate)


def test_with_an_average_the_weights_are_the_average_and_raw_the_live_ones(tmp_path: Path) -> None:
    state = state_at(ema=0.9)
    assert state.ema_model is not None
    path = save_checkpoint(tmp_path, "last", state, *SAVED).path
    assert same_weights(path / "weights.safetensors", state.ema_model)
    assert same_weights(path / "raw.safetensors", state.model)
    assert not same_weights(path / "weights.safetensors", state.model)


def test_the_state_is_plain_values_that_load_safely(tmp_path: Path) -> None:
    state = state_at()
    content = (save_checkpoint(tmp_path, "last", state, *SAVED).path / "state.pt").read_bytes()
    progress = torch.load(io.BytesIO(content), weights_only=True)
    assert (progress["step"], progress["epoch"], progress["num_seen"]) == (3, 1, 0)


def test_two_last_and_one_best_are_kept(tmp_path: Path) -> None:
    state = state_at()
    for step in (3, 6, 9, 12):
        state.step = step
        for role in ("last", "best"):
            save_checkpoint(tmp_path, role, state, *SAVED)
    names = [checkpoint.name for checkpoint in list_checkpoints(tmp_path)]
    assert names == ["last-0000009", "best-0000012", "last-0000012"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


@pytest.mark.parametrize("role", ["last", "best"])
def test_a_new_checkpoint_is_kept_even_at_an_earlier_step(tmp_path: Path, role: Role) -> None:
    # As after resuming from an older one because the newest was damaged.
    for step in (30, 33, 6):
        save_checkpoint(tmp_path, role, state_at(step), *SAVED)
    steps = [checkpoint.step for checkpoint in list_checkpoints(tmp_path, role)]
    assert 6 in steps
    assert len(steps) == {"last": 2, "best": 1}[role]


def test_the_loaded_model_gives_the_same_logits(tmp_path: Path) -> None:
    state = state_at(ema=0.5)
    model = load_model(save_checkpoint(tmp_path, "best", state, *SAVED))
    assert not model.training
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        expected = state.eval_model.eval().to(memory_format=torch.contiguous_format)(images)  # pyright: ignore[reportCallIssue] # the stubs of torch lack this overload
        assert torch.equal(model(images), expected)


def test_weights_of_another_model_are_told(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path, "best", state_at(model="sepnet_v1"), *SAVED)
    with pytest.raises(CheckpointError, match="has the weights of a convnet"):
        load_model(checkpoint)


def test_listing_needs_no_torch(tmp_path: Path) -> None:
    for role in ("last", "best"):
        save_checkpoint(tmp_path, role, state_at(), *SAVED)
    code = """
import sys
from dataclasses import asdict
from pathlib import Path
from cifar_core.checkpoints.checkpoint import list_checkpoints
print([c.name for c in list_checkpoints(Path(sys.argv[1]))])
print([name for name in ("torch", "safetensors") if name in sys.modules])
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=LIMIT_S
    ).stdout
    assert output == "['best-0000003', 'last-0000003']\n[]\n"


def test_a_folder_without_checkpoints_has_none(tmp_path: Path) -> None:
    assert list_checkpoints(tmp_path) == []
    assert list_checkpoints(tmp_path / "missing") == []
    remove_checkpoints(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    state = state_at()
    with torch.no_grad():
        next(state.model.parameters())[0].fill_(value)
    checkpoint = save_checkpoint(tmp_path, "best", state, *SAVED)
    with pytest.raises(CheckpointError, match="not finite numbers: the training diverged"):
        load_model(checkpoint)
