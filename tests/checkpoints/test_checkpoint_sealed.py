"""Damage that no sum can tell, since the manifest agrees: refused in a sentence, or harmless."""

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cifar_core.checkpoints.checkpoint import read_checkpoint
from cifar_core.checkpoints.manifest import sum_of
from cifar_core.errors import CheckpointError
from cifar_core.system.json_files import write_typed
from cifar_core.training.checkpointing import load_state, save_checkpoint
from tests.builders import SAVED, state_at
from tests.checkpoints.test_checkpoint_damage import DAMAGES, FILES, open_all
from tests.reliability.report import Tally


def seal(path: Path) -> None:
    """Makes the manifest agree with the files, whatever is in them."""
    manifest = read_checkpoint(path).manifest
    sums = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in FILES}
    sealed = replace(manifest, sha256=sums)
    write_typed(path / "manifest.json", replace(sealed, sum=sum_of(sealed)))


@pytest.mark.parametrize("name", FILES)
def test_damage_under_a_manifest_that_agrees_is_told_or_harmless(
    tmp_path: Path, name: str, tally: Tally
) -> None:
    """Bytes changed, cut off or put between, which no sum can tell: never another exception."""
    state, generator = state_at(ema=0.9), random.Random(name)
    path = save_checkpoint(tmp_path, "last", state, *SAVED).path
    content, refused = (path / name).read_bytes(), 0
    tries = [b"", *(change(content) for change in DAMAGES.values())]
    for _ in range(tally.times(30, 300)):
        start = generator.choice([0, max(len(content) - 3000, 0)])  # headers, directories
        at = min(start + int(generator.expovariate(1 / 300)), len(content) - 1)
        changed = bytes([generator.randrange(256)]) * generator.randrange(3)
        tries.append(content[:at] + changed + content[at + generator.randrange(1, 3) :])
    for damaged in tries:
        (path / name).write_bytes(damaged)
        seal(path)
        try:
            open_all(path, state_at(ema=0.9))
        except CheckpointError:
            refused += 1
    assert refused > len(tries) / 3
    tally.note(
        "R8", f"{name} damaged under sums that agree: read or refused", len(tries), len(tries)
    )


PLAUSIBLE: dict[str, dict[str, object]] = {
    "step": {"step": 2},
    "step of text": {"step": "three"},
    "no epoch": {"epoch": None},
    "sums of another shape": {"loss_sum": torch.zeros(2)},
    "optimizer of nothing": {"optimizer": {}},
    "optimizer of text": {"optimizer": "sgd"},
    "groups of another network": {"optimizer": {"state": {}, "param_groups": [{"params": [0]}]}},
}


@pytest.mark.parametrize("changes", PLAUSIBLE.values(), ids=PLAUSIBLE)
def test_a_state_that_loads_but_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    state = state_at(ema=0.9)
    path = save_checkpoint(tmp_path, "last", state, *SAVED).path
    torch.save({**state.progress(), **changes}, path / "state.pt")
    seal(path)
    with pytest.raises(CheckpointError, match="does not fit"):
        load_state(read_checkpoint(path), state_at(ema=0.9))
