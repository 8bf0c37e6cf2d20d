"""Damaged and half-written checkpoints: told by name, never listed, the old ones whole."""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cifar_core.checkpoints.checkpoint import (
    Checkpoint,
    list_checkpoints,
    load_model,
    read_checkpoint,
    remove_checkpoints,
    verified,
)
from cifar_core.errors import CheckpointError
from cifar_core.system import files, json_files
from cifar_core.system.files import write_atomic
from cifar_core.training import checkpointing as module
from cifar_core.training.checkpointing import load_state, save_checkpoint
from cifar_core.training.state import TrainState
from tests.builders import SAVED, contents_of, state_at

FILES = ["weights.safetensors", "raw.safetensors", "state.pt"]


def flip(content: bytes, at: int) -> bytes:
    at %= len(content)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def open_all(path: Path, state: TrainState) -> None:
    """All that reading a checkpoint may be: its manifest, its model, its state."""
    checkpoint = read_checkpoint(path)
    load_state(checkpoint, state)
    load_model(checkpoint)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "first byte": lambda content: flip(content, 0),
    "middle byte": lambda content: flip(content, len(content) // 2),
    "last byte": lambda content: flip(content, -1),
    "cut by one": lambda content: content[:-1],
    "cut in half": lambda content: content[: len(content) // 2],
    "one more": lambda content: content + b"\0",
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_damage_of_any_file_is_told_with_its_name(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    state = state_at(ema=0.9)
    path = save_checkpoint(tmp_path, "last", state, *SAVED).path
    open_all(path, state)
    (path / name).write_bytes(damage((path / name).read_bytes()))
    with pytest.raises(CheckpointError, match=f"last-0000003/{name} is damaged"):
        open_all(path, state)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_told_with_its_name(tmp_path: Path, name: str) -> None:
    state = state_at(ema=0.9)
    path = save_checkpoint(tmp_path, "last", state, *SAVED).path
    (path / name).unlink()
    with pytest.raises(CheckpointError, match=rf"last-0000003/{name} is missing"):
        open_all(path, state)


def test_without_a_manifest_a_checkpoint_does_not_count(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, "last", state_at(), *SAVED).path
    (path / "manifest.json").unlink()
    assert list_checkpoints(tmp_path) == []
    with pytest.raises(CheckpointError, match="last-0000003 is not a complete checkpoint"):
        read_checkpoint(path)


def sound(path: Path) -> bool:
    """Whether a checkpoint passes for a whole one."""
    try:
        checkpoint = read_checkpoint(path)
        for name in checkpoint.manifest.sha256:
            verified(checkpoint, name)
    except CheckpointError:
        return False
    return True


def test_a_damaged_manifest_never_breaks_a_listing(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, "last", state_at(), *SAVED).path
    content = (path / "manifest.json").read_bytes()
    for at in range(len(content)):
        (path / "manifest.json").write_bytes(flip(content, at))
        assert [c.path for c in list_checkpoints(tmp_path)] in ([], [path])


def test_a_damaged_manifest_never_passes_for_a_whole_one(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, "last", state_at(), *SAVED).path
    assert sound(path)
    content = (path / "manifest.json").read_bytes()
    unnoticed = []
    for at in range(content.index(b'"model"'), len(content)):  # the facts, then the sums
        (path / "manifest.json").write_bytes(flip(content, at))
        if sound(path):
            unnoticed.append(content[at - 10 : at + 5])
    assert unnoticed == []


@pytest.mark.parametrize(
    "manifest",
    [{}, {"sha256": {}}, {"sha256": {}, "role": "last", "step": "x", "epoch": None}, {"sha256": 1}],
)
def test_a_manifest_of_the_wrong_shape_is_passed_over(
    tmp_path: Path, manifest: dict[str, Any]
) -> None:
    good = save_checkpoint(tmp_path, "last", state_at(), *SAVED)
    bad = tmp_path / "last-0000001"
    bad.mkdir()
    (bad / "manifest.json").write_text(json.dumps(manifest))
    assert list_checkpoints(tmp_path) == [good]


def break_write(patch: pytest.MonkeyPatch, number: int) -> None:
    """Lets the write of that number fail, from 0; negative ones fail at the final rename."""
    written = 0
    replace = Path.replace

    def failing_write(path: Path, content: bytes) -> None:
        nonlocal written
        if written == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        written += 1
        write_atomic(path, content)

    def failing_replace(path: Path, target: Path) -> Path:
        if path.is_dir():
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, target)

    if number < 0:
        patch.setattr(Path, "replace", failing_replace)
        return
    patch.setattr(module, "write_atomic", failing_write)
    for written_by in (files, json_files):
        patch.setattr(written_by, "write_atomic", failing_write)


@pytest.mark.parametrize("step", [9, 6], ids=["a new step", "the same step again"])
@pytest.mark.parametrize("number", [0, 1, 2, 3, -1])
def test_a_disk_full_at_any_file_leaves_the_old_ones_untouched_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: int
) -> None:
    state = state_at(ema=0.9)
    for old in (3, 6):
        state.step = old
        save_checkpoint(tmp_path, "last", state, *SAVED)
    before, listed = contents_of(tmp_path), list_checkpoints(tmp_path)
    state.step = step
    with monkeypatch.context() as patch:
        break_write(patch, number)
        with pytest.raises(OSError, match="No space left"):
            save_checkpoint(tmp_path, "last", state, *SAVED)
    assert contents_of(tmp_path) == before
    assert list_checkpoints(tmp_path) == listed
    assert [c.step for c in listed] == [3, 6]
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert save_checkpoint(tmp_path, "last", state, *SAVED).step == step


def kill_left(run_dir: Path, checkpoint: Checkpoint) -> Path:
    """What a worker leaves that was killed between the manifest and the rename."""
    draft = run_dir / ".last-0000009.12345.draft"
    return Path(shutil.copytree(checkpoint.path, draft))


def test_a_draft_of_a_killed_worker_is_not_listed(tmp_path: Path) -> None:
    good = save_checkpoint(tmp_path, "last", state_at(), *SAVED)
    kill_left(tmp_path, good)
    assert list_checkpoints(tmp_path) == [good]
    assert list_checkpoints(tmp_path, "last") == [good]


def test_a_draft_of_a_killed_worker_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    draft = kill_left(tmp_path, save_checkpoint(tmp_path, "last", state_at(), *SAVED))
    save_checkpoint(tmp_path, "last", state_at(6), *SAVED)
    assert not draft.exists()


def test_removing_checkpoints_takes_damaged_ones_and_drafts_too(tmp_path: Path) -> None:
    for step in (3, 6):
        good = save_checkpoint(tmp_path, "last", state_at(step), *SAVED)
    save_checkpoint(tmp_path, "best", state_at(), *SAVED)
    kill_left(tmp_path, good)
    (good.path / "manifest.json").write_text("torn")
    (tmp_path / "metrics.jsonl").write_text("kept")
    (tmp_path / "tensorboard").mkdir()
    remove_checkpoints(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.jsonl", "tensorboard"]
