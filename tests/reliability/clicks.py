"""People who press the same button in the same moment, each in a process of their own.

`python -m tests.reliability.clicks` reads a JSON object per line: {"action", "root", "draft" or
"run", "delays_s"}; forks a process per delay, which waits for it and then launches, resumes or
extends; and answers with what each of them got: the name of a folder, or a sentence.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cifar_core.errors import CifarCoreError
from cifar_core.jobs import launch
from cifar_core.runs.store import TrainingRun, read_run
from tests.reliability.plain import fork_worker, make_plain, plain_config
from tests.waiting import LIMIT_S


def click(action: str, root: Path, target: str, epochs: int) -> str:
    """What one person gets."""
    try:
        if action == "launch":
            return launch.launch_training(root, plain_config(epochs), draft=target).name
        run = read_run(root / target, TrainingRun)
        if action == "resume":
            launch.resume_run(run)
            return target
        return launch.extend_run(run, epochs).name
    except CifarCoreError as error:
        return str(error)


def crowd(order: dict[str, Any]) -> list[str]:
    """Lets all of them click and collects what they got."""
    start = time.monotonic() + 0.05
    pipes = []
    for delay_s in order["delays_s"]:
        reading, writing = os.pipe()
        if os.fork() == 0:
            time.sleep(max(start + delay_s - time.monotonic(), 0))
            got = click(order["action"], Path(order["root"]), order["target"], order["epochs"])
            os.write(writing, got.encode())
            os._exit(0)
        os.close(writing)
        pipes.append(reading)
    answers = []
    for pipe in pipes:
        with os.fdopen(pipe) as stream:
            answers.append(stream.read())
    return answers


class Clickers:
    """A process that forks people."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.clicks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def click(
        self, action: str, root: Path, target: str, delays_s: list[float], epochs: int = 2
    ) -> list[str]:
        """Lets people click after their delays; what each of them got."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {"action": action, "root": str(root), "target": target, "epochs": epochs}
        self.process.stdin.write(json.dumps({**order, "delays_s": delays_s}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """Ends the process; what it started goes on."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(LIMIT_S)
        self.process.stdout.close()


def main() -> None:
    """Answers orders until the input ends."""
    import signal

    import cifar_core.jobs.worker  # noqa: F401 # once, before all forks

    make_plain()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    launch.spawn = lambda module, run_dir, log=None: SimpleNamespace(  # pyright: ignore[reportAttributeAccessIssue] # a stand-in
        pid=fork_worker(Path(run_dir))
    )
    for line in sys.stdin:
        print(json.dumps(crowd(json.loads(line))), flush=True)  # noqa: T201 # the answer


if __name__ == "__main__":
    main()
