"""Workers without torch: the real worker and training job around an engine that only counts.

`python -m tests.reliability.plain` forks one for every folder it reads from its input, within
milliseconds instead of the seconds that torch takes to import; what they write, lock, claim and
survive is done by the code of the product.
"""

import errno
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest

from cifar_core.checkpoints.checkpoint import Checkpoint, list_checkpoints, verified
from cifar_core.config.train import TrainConfig
from cifar_core.errors import TrainingError
from cifar_core.records.records import EpochRecord, Record, StepRecord
from cifar_core.system.runtime import Runtime
from tests.real_jobs import rewrite, small
from tests.reliability.faults import Faults
from tests.waiting import LIMIT_S

STEPS_PER_EPOCH = 4
TROUBLED_STEP = 6  # after the first epoch
VERSIONS = {"python": "plain", "threads": "1"}
RUNTIME = Runtime("cpu", "", "fp32", "", "contiguous", "")


def plain_config(epochs: int = 5, step_s: float = 0.002, **changes: Any) -> TrainConfig:
    """A config for a plain worker; its weight decay is what a step takes, in seconds."""
    return small(epochs=epochs, weight_decay=step_s, **changes)


@dataclass
class PlainState:
    """What a plain run computes: a chain of hashes, so that each step depends on all before."""

    config: TrainConfig
    epoch: int = 0
    step: int = 0
    value: str = "begun"
    seen: list[int] = field(default_factory=list)  # steps of the epoch under way

    @property
    def figure(self) -> float:
        return int(hashlib.sha256(self.value.encode()).hexdigest()[:8], 16) / 16**8

    @property
    def test_log_probs(self) -> Any:
        """Of three images and two classes."""
        import numpy as np

        share = np.array([self.figure, 0.25, 0.5], np.float32)
        return np.log(np.stack((share, 1 - share), axis=1))

    def take_step(self) -> None:
        self.value = hashlib.sha256(f"{self.value} {self.step}".encode()).hexdigest()
        self.step += 1
        self.seen.append(self.step)


def train(config: TrainConfig, data: Any, state: PlainState, batches: Any) -> Iterator[Record]:
    """As `engine.train`: records of steps and epochs that follow from the state alone."""
    while state.epoch < config.epochs:
        while state.step < (state.epoch + 1) * STEPS_PER_EPOCH:
            time.sleep(config.weight_decay)
            state.take_step()
            if state.step == TROUBLED_STEP and batches:
                meet_trouble(batches.run_dir)
            figure = state.figure
            yield StepRecord(state.epoch + 1, state.step, figure, figure, 0.1, 1000.0)
        state.epoch, state.seen, figure = state.epoch + 1, [], state.figure
        yield EpochRecord(
            state.epoch, state.step, figure, figure, figure, figure, figure, figure, 0.1
        )


def meet_trouble(run_dir: Path) -> None:
    """Does what the file `trouble` in the run's folder asks for, if there is one."""
    file = run_dir / "trouble"
    name, _, argument = (file.read_text() if file.exists() else "").partition(" ")
    if name in TROUBLES:
        file.unlink()
        TROUBLES[name](argument)


class OutOfMemoryError(Exception):
    """As torch names that of a GPU."""


def _fail(error: Exception) -> NoReturn:
    raise error


def _print_much(megabytes: str) -> None:
    line = "x" * 999
    for _ in range(int(megabytes) * 1000):
        print(line)  # noqa: T201 # goes to the log # what a library might do
    print("the last line", flush=True)  # noqa: T201 # goes to the log


TROUBLES: dict[str, Callable[[str], None]] = {
    "exception": lambda text: _fail(ZeroDivisionError(text)),
    "diverged": lambda text: _fail(TrainingError("The loss became nan. Take a lower lr.")),
    "memory": lambda text: _fail(MemoryError()),
    "gpu": lambda text: _fail(OutOfMemoryError("CUDA out of memory")),
    "full": lambda text: _fail(OSError(errno.ENOSPC, "No space left on device")),
    "exit": lambda text: os._exit(3),
    "crash": lambda text: os.kill(os.getpid(), signal.SIGSEGV),
    "hang": lambda text: time.sleep(2 * LIMIT_S),
    "print": _print_much,
}


def figures_of(config: TrainConfig) -> tuple[str, list[float]]:
    """How a run that nothing disturbs ends: its last value, and the figure of each epoch."""
    state = PlainState(config)
    config = config.model_copy(update={"weight_decay": 0.0})
    records = list(train(config, None, state, None))
    return state.value, [r.test_acc for r in records if isinstance(r, EpochRecord)]


def kept_figures(run_dir: Path) -> list[float]:
    """The figure of each epoch, from what was kept of it; rounded to two places."""
    import numpy as np

    from cifar_core.runs.folders import epoch_files
    from cifar_core.system.files import read_npz

    kept = [read_npz(path) for path in epoch_files(run_dir)]
    return [round(float(np.exp(np.float32(one["log_probs"][0, 0]))), 2) for one in kept if one]


def value_of(checkpoint: Checkpoint) -> str:
    """What a checkpoint holds, its sums compared.

    Raises:
        CheckpointError: if it is damaged.
    """
    return verified(checkpoint, "weights.safetensors")[-64:].decode()


def newest_value(run_dir: Path) -> str:
    return value_of(list_checkpoints(run_dir, "last")[-1])


def _contents(state: PlainState, resumable: bool) -> dict[str, bytes]:
    files = {"weights.safetensors": bytes(50_000) + state.value.rjust(64).encode()}
    if resumable:
        progress = {"epoch": state.epoch, "step": state.step, "value": state.value}
        files["state.pt"] = json.dumps({**progress, "seen": state.seen}).encode()
    return files


def _load_state(checkpoint: Checkpoint, state: PlainState) -> None:
    progress = json.loads(verified(checkpoint, "state.pt"))
    verified(checkpoint, "weights.safetensors")
    state.epoch, state.step = progress["epoch"], progress["step"]
    state.value, state.seen = progress["value"], progress["seen"]


def _set_up(worker: Any, request: Any) -> tuple[TrainConfig, Any, PlainState]:
    import numpy as np

    config = request.config
    statistics = np.zeros(3), np.ones(3)
    data = SimpleNamespace(
        title="Plain",
        fingerprint="plain",
        classes=["a"],
        statistics=lambda _: (statistics, statistics),
    )
    batches = SimpleNamespace(run_dir=worker.run_dir, data=data, runtime=RUNTIME)
    facts: dict[str, Any] = {"runtime": RUNTIME, "versions": VERSIONS, "data_title": "Plain"}
    worker.update(**facts, fingerprint="plain", steps_per_epoch=STEPS_PER_EPOCH)
    return config, batches, PlainState(config)


def make_plain(patch: pytest.MonkeyPatch | None = None) -> None:
    """Puts the counting engine in the place of the real one; without a patch for good."""

    from cifar_core.jobs.tasks import train as job
    from cifar_core.training import checkpointing

    engine: Any = ModuleType("cifar_core.training.engine")
    engine.train = train
    patch = patch or pytest.MonkeyPatch()
    patch.setitem(sys.modules, "cifar_core.training.engine", engine)
    replaced: list[tuple[Any, str, Any]] = [
        (checkpointing, "_contents", _contents),
        (checkpointing, "load_state", _load_state),
        (job, "_set_up", _set_up),
        (job, "_versions", lambda: VERSIONS),
    ]
    for module, name, value in replaced:
        patch.setattr(module, name, value)


def work(run_dir: Path, fault: dict[str, Any]) -> int:
    """What a forked child does: a session of its own, output to the log, then the job."""
    from cifar_core.jobs import worker

    os.setsid()
    log = os.open(run_dir / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(log, number)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.write(1, b"plain worker begins\n")
    for name, value in fault.pop("limits", {}).items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if device := fault.pop("device", ""):
        rewrite(run_dir, device=device)
    faults = Faults(fault) if fault else None
    code = worker.main(run_dir)
    if faults:
        faults.note(run_dir)
    return code


def fork_worker(run_dir: Path, fault: dict[str, Any] | None = None) -> int:
    """The pid of a new worker; it meets a fault if there is one, or has limits."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work(run_dir, fault or {})
        finally:
            os._exit(code)
    return child


class PlainServer:
    """A process that forks plain workers; `spawn` stands in for `processes.spawn`.

    Attributes:
        fault: What the next workers meet; see `Faults`.
    """

    def __init__(self) -> None:
        self.fault: dict[str, Any] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.plain"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def spawn(self, module: str, run_dir: str, log: Path | None = None) -> Any:
        assert module == "cifar_core.jobs.worker"
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if log:
            log.touch()
        order = [run_dir, self.fault, os.environ["CIFAR_CACHE"]]  # the test's own: its locks, too
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return SimpleNamespace(pid=int(self.process.stdout.readline()))

    def close(self) -> None:
        """Ends the server; its workers go on."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(LIMIT_S)
        self.process.stdout.close()


def serve() -> None:
    """Forks a worker for each line of the input and answers with its pid."""
    import cifar_core.jobs.worker  # noqa: F401 # once, before all forks

    make_plain()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, and none stays a zombie
    for line in sys.stdin:
        run_dir, fault, os.environ["CIFAR_CACHE"] = json.loads(line)
        sys.stdout.write(f"{fork_worker(Path(run_dir), fault)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
