"""Getting data as a job: what failed deletes what it made itself, and nothing else."""

from pathlib import Path

import pytest

from cifar_core.data import Dataset
from cifar_core.data.download import HUB_FILES
from cifar_core.data.store import open_dataset
from cifar_core.jobs.launch import launch_data
from cifar_core.runs.states import RunState
from tests.made_up_data import write_parquet
from tests.real_jobs import wait_for
from tests.web_server import Site, serving

site = pytest.fixture(serving)
OTHERS = ("cifar-10-python.tar.gz.part", "cifar-10-python.tar.gz.part.json", "notes of mine.txt")


def test_a_download_that_is_not_cifar10_leaves_what_others_put_there(
    site: Site, own_cache: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_MIRROR", site.url)
    folder = own_cache / "downloads"
    folder.mkdir(parents=True)
    for name in OTHERS:
        (folder / name).write_bytes(b"kept")
    job = wait_for(launch_data(runs, "hub"), RunState.FAILED)
    assert "Parquet" in job.reason
    assert [path for path, _ in site.asked] == [f"/{name}" for name in HUB_FILES]
    left = {path.name for path in folder.iterdir() if path.suffix != ".lock"}
    assert left == set(OTHERS)
    assert all((folder / name).read_bytes() == b"kept" for name in OTHERS)


def test_a_folder_is_imported_and_stays_as_it_was(
    own_cache: Path, runs: Path, tmp_path: Path, tiny: Dataset
) -> None:
    folder = write_parquet(tmp_path / "copy", tiny)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused = wait_for(launch_data(runs, "folder", str(folder)), RunState.FAILED)
    assert "--allow-modified" in refused.reason
    wait_for(launch_data(runs, "folder", str(folder), allow_modified=True), RunState.COMPLETED)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(open_dataset(str(folder)).train) == len(tiny.train)
