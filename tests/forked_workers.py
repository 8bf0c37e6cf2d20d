"""Real workers without their seconds of imports: forked from a process that has torch already.

`python -m tests.forked_workers` forks a worker for each line of its input. What such a worker
reads, computes, writes, locks and survives is done by the product's own worker and jobs, in a
process and a session of its own; only its interpreter and its modules are not new. Tests marked
`own_process`, commands that are run as processes, and the runs of the session's fixtures have
workers that the product starts itself.
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cifar_core.system.files import read_json
from cifar_core.system.paths import repository
from cifar_core.system.processes import environment
from tests.waiting import LIMIT_S

# What a kind of job imports once it is its turn; imported before the first fork of that kind.
MODULES: dict[str, tuple[str, ...]] = {
    "train": ("torch._dynamo", "cifar_core.training.engine", "cifar_core.training.checkpointing"),
    "lr_find": ("torch._dynamo", "cifar_core.lr_finder.range_test"),
    "evaluate": ("cifar_core.evaluation.predictor", "cifar_core.evaluation.features"),
    "embed": ("cifar_core.evaluation.features", "sklearn.manifold"),
    "effect": ("cifar_core.evaluation.augmentation_effect",),
    "road": ("cifar_core.explain.road", "pytorch_grad_cam"),
    "report": ("cifar_core.report.html", "cifar_core.evaluation.predictor", "pytorch_grad_cam"),
}


class ForkServer:
    """A process that forks workers, started when it is needed.

    Its `spawn` stands in for `processes.spawn`.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()

    def spawn(self, module: str, run_dir: str, log: Path | None = None) -> Any:
        """Starts the worker of a run; what is returned has its `pid`."""
        assert module == "cifar_core.jobs.worker"
        order = {"run_dir": run_dir, "log": str(log or os.devnull), "environment": environment()}
        with self._turn:
            self._process = self._process or self._start()
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return SimpleNamespace(pid=int(self._process.stdout.readline()))

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.forked_workers"],
            cwd=repository(),
            env={**environment(), "OMP_NUM_THREADS": "1"},  # threads do not survive a fork
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """Ends the server; its workers go on."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(LIMIT_S)
        self._process.stdout.close()


def work(order: dict[str, Any]) -> int:
    """What a forked child does: all that `processes.spawn` does for a new process, then the job."""
    from cifar_core.jobs import worker

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(log, number)
    try:
        return worker.main(Path(order["run_dir"]))
    except BaseException:  # noqa: BLE001 # as the interpreter does at the end of a process
        traceback.print_exc()
        return 1


def serve() -> None:
    """Forks a worker for each line of the input and answers with its pid."""
    import cifar_core.jobs.worker  # noqa: F401 # once, before all forks

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, and none stays a zombie
    for line in sys.stdin:
        order = json.loads(line)
        request = read_json(Path(order["run_dir"]) / "request.json") or {}
        for module in MODULES.get(request.get("kind", ""), ()):
            importlib.import_module(module)
        gc.freeze()  # what all share stays shared
        child = os.fork()
        if child == 0:
            os._exit(work(order))
        sys.stdout.write(f"{child}\n")


if __name__ == "__main__":
    serve()
