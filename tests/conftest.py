"""Fixtures: a cache and a runs folder of the test's own, Shapes-10."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from cifar_core.data import Dataset
from tests.forked_workers import ForkServer
from tests.made_up_data import made_up
from tests.reliability.report import Count, Tally, write_counts
from tests.waiting import LIMIT_S

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
os.environ["CIFAR_WARM_UP"] = "0"
os.environ["CIFAR_SHIPPED"] = str(Path(__file__).with_name("none"))  # whoever wants some names them
pytest_plugins = ["tests.shipped_runs"]
TESTS = Path(__file__).parent
# Files of more than a minute come first, then the rooms that start many jobs or pages, so that no
# process is left with a long one at the end while the others have none.
LONG_FILES = (
    "jobs/test_resume.py",
    "explain/test_gradcam.py",
    "training/test_checkpointing.py",
    "pages/test_start_once.py",
    "pages/test_every_page.py",
    "evaluation/test_features.py",
)
LONG_ROOMS = ("pages", "jobs", "reliability", "evaluation", "explain", "cli", "training")
FULL_LIMIT_S = 3600.0  # of a test with the full counts
REAL_DATA = os.environ.get("CIFAR10_DIR")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the full counts")
    parser.addoption("--counts", type=Path, help="the file to write them to, for the report")


def order_of(file: Path) -> int:
    """Where a file comes: long files, long rooms, the rest."""
    name = file.relative_to(TESTS)
    order = [*LONG_FILES, *LONG_ROOMS]
    places = (order.index(place) for place in (str(name), name.parts[0]) if place in order)
    return next(places, len(order))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long rooms come first; full counts may take long; real data may not be there."""
    items.sort(key=lambda item: order_of(item.path))
    skip = pytest.mark.skip(reason="CIFAR10_DIR is not set")
    for item in items:
        if config.getoption("--full"):
            item.add_marker(pytest.mark.timeout(FULL_LIMIT_S))
        if item.get_closest_marker("real_data") and not REAL_DATA:
            item.add_marker(skip)


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]
) -> Path:
    """A folder that the first of the session's processes to need it fills, and all others read."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"once-{name}"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            draft = Path(f"{folder}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(folder)
    return folder


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests of this process, since it holds the locks of devices.

    Where several processes run the tests, one of them draws Shapes-10 for all.
    """

    def fill(folder: Path) -> None:
        from cifar_core.data import open_dataset
        from cifar_core.system.runtime import probe

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CIFAR_CACHE", str(folder))
            open_dataset("shapes10")
            probe()

    cache = tmp_path_factory.mktemp("cache")
    if "PYTEST_XDIST_WORKER" in os.environ:
        filled = made_once(tmp_path_factory, "cache", fill)
        shutil.copytree(filled, cache, copy_function=os.link, dirs_exist_ok=True)
    return cache


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_cache: Path) -> Path:
    """Every test has runs of its own, no CIFAR-10, and never touches the user's cache."""
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    monkeypatch.setenv("CIFAR_CACHE", str(shared_cache))
    monkeypatch.setenv("CIFAR_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.fixture(autouse=True)
def hardware(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, shared_cache: Path
) -> None:
    """The hardware is looked at once, whatever cache a test has; tests/system tests the look."""
    from cifar_core.system import runtime

    if request.path.parent.name != "system":
        note = shared_cache / "hardware" / f"{runtime.machine_key()}.json"
        monkeypatch.setattr(runtime, "_probe_note", lambda: note)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Forks the workers of this process's tests."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def workers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, fork_server: ForkServer
) -> None:
    """Jobs that a test starts are real, but forked, unless it is marked `own_process`."""
    if not request.node.get_closest_marker("own_process"):
        monkeypatch.setattr("cifar_core.jobs.launch.spawn", fork_server.spawn)


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache that is empty, for tests about the cache itself."""
    monkeypatch.setenv("CIFAR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def real_cifar10(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> Path:
    """The real data set, in a cache of its own; only for tests marked `real_data`."""
    assert REAL_DATA is not None
    monkeypatch.setenv("CIFAR_CACHE", str(shared_cache / "real"))
    monkeypatch.setenv("CIFAR10_DIR", REAL_DATA)
    return Path(REAL_DATA)


@pytest.fixture
def runs(places: Path) -> Iterator[Path]:
    """The folder of the test's runs, not made yet; workers left in it are killed at the end."""
    from cifar_core.runs.states import find_worker, last_start
    from cifar_core.runs.store import Run, list_runs

    root = places / "runs"
    yield root
    for run in list_runs(root, Run):
        if process := find_worker(run.status, last_start(run.path, run.created)):
            process.kill()
            process.wait(LIMIT_S)


@pytest.fixture
def tiny() -> Dataset:
    """Sixty-four training and thirty test images of noise, every class in both."""
    return made_up(64, 30)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """A run of two epochs on Shapes-10, done by a real worker; copy it before changing it."""
    from cifar_core.jobs.launch import launch_training
    from cifar_core.runs.states import RunState
    from tests.real_jobs import small, wait_for

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CIFAR_CACHE", str(shared_cache))
            config = small(tensorboard=True)
            wait_for(
                launch_training(root, config, "first", "notes of the first"), RunState.COMPLETED
            )

    (request,) = made_once(tmp_path_factory, "finished", make).glob("*/request.json")
    return request.parent


@pytest.fixture
def copied(finished: Path, runs: Path) -> Path:
    """The finished run, copied into the test's own runs."""
    runs.mkdir(exist_ok=True)
    return Path(shutil.copytree(finished, runs / finished.name))


@pytest.fixture
def fresh_caches() -> None:
    """What Streamlit keeps for a whole process is forgotten."""
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def known_speeds() -> None:
    """The forms' first estimates, so that no page starts a measurement in the background."""
    from dataclasses import asdict

    from cifar_core.config.recipes import recipe
    from cifar_core.config.train import make_config
    from cifar_core.forecast.forecast import Throughput, note_path
    from cifar_core.system.files import write_json
    from tests.real_jobs import SMALL

    for values in (recipe("quick").model_dump(mode="json"), SMALL):
        note = note_path(make_config(values))
        note.parent.mkdir(parents=True, exist_ok=True)
        write_json(note, asdict(Throughput(2000.0, 5000.0, 2100.0, 10**9)))


@pytest.fixture(scope="session")
def counts() -> list[Count]:
    """All counts of the session."""
    return []


@pytest.fixture
def tally(request: pytest.FixtureRequest, counts: list[Count]) -> Iterator[Tally]:
    """The counts of this test, written down as soon as it ends where that is asked for."""
    yield Tally(bool(request.config.getoption("--full", default=False)), counts)
    if file := request.config.getoption("--counts", default=None):
        write_counts(file, counts)


@pytest.fixture(scope="session")
def evaluated_once(
    finished: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The finished run with its test table, and the job that made it."""
    from cifar_core.jobs.launch_analysis import launch_evaluation
    from cifar_core.runs.states import RunState
    from cifar_core.runs.store import TrainingRun, read_run
    from tests.real_jobs import wait_for

    def make(root: Path) -> None:
        run = shutil.copytree(finished, root / finished.name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CIFAR_CACHE", str(shared_cache))
            wait_for(
                launch_evaluation(root, read_run(run, TrainingRun), "best", "test"),
                RunState.COMPLETED,
            )

    return made_once(tmp_path_factory, "evaluated", make)


@pytest.fixture
def evaluated(evaluated_once: Path, runs: Path) -> Path:
    """A copy of it in the test's own runs; returns the run's folder."""
    from cifar_core.runs.store import list_runs

    shutil.copytree(evaluated_once, runs)
    (run,) = list_runs(runs)
    return run.path
