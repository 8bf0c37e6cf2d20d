"""python -m benchmarks.train_process KIND MODEL STEPS CHANGES: takes steps at each line given.

A process of its own, since a worker's memory is set up before it starts.
"""

import json
import subprocess
import sys
from typing import Any

from benchmarks.steps import bare_steps, engine_steps, lr_test_steps
from cifar_core.system.paths import repository
from cifar_core.system.processes import environment


class AsWorker:
    """Steps in a process as a run's worker is one, to be used in a `with`; see `stepper`."""

    def __init__(self, kind: str, model: str, num_steps: int, **changes: Any) -> None:
        what = kind, model, str(num_steps), json.dumps(changes)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.train_process", *what],
            cwd=repository(),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._hear()

    def __call__(self) -> None:
        """Takes the steps."""
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        self._hear()

    def _hear(self) -> None:
        assert self.process.stdout
        while (said := self.process.stdout.readline()) != b"done\n":
            if not said:
                raise RuntimeError("the process that takes the steps ended")

    def __enter__(self) -> "AsWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def main() -> None:
    """Says "done" when it is ready, and after each time."""
    kind, model, num_steps, changes = sys.argv[1:]
    if kind == "engine":
        steps, _ = engine_steps(model, int(num_steps), **json.loads(changes))
    else:
        make = {"bare": bare_steps, "lr test": lr_test_steps}[kind]
        steps = make(model, int(num_steps))
    _say_done()
    for _ in sys.stdin:
        steps()
        _say_done()


def _say_done() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
