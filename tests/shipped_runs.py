"""Fixtures: a run that came with the app."""

from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.report import publish as publishing
from cifar_core.runs.store import TrainingRun, list_runs
from tests.conftest import made_once


@pytest.fixture(scope="session")
def shipped_once(
    finished: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the finished run, published in parts of at most 200,000 bytes."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CIFAR_CACHE", str(shared_cache))
            patch.setattr(publishing, "MAX_SHARD_BYTES", 200_000)
            told = ["--runs", str(finished.parent), "--to", str(root), "--hardware", "A machine"]
            assert main(["publish", finished.name, *told]) == 0

    return made_once(tmp_path_factory, "shipped", make)


@pytest.fixture
def shipped(shipped_once: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> TrainingRun:
    """The published run, as it is listed beside runs that are not there yet."""
    monkeypatch.setenv("CIFAR_SHIPPED", str(shipped_once))
    (run,) = list_runs(runs)
    return run
