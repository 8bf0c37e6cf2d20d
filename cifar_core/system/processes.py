"""Starts modules of this package as processes that outlive their parent."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from cifar_core.system.files import open_regular
from cifar_core.system.paths import repository, user_path

# Each step asks for what the step before gave back. By default glibc returns large blocks to the
# system, which clears them page by page when they are asked for again. Kept, in large pages, a step
# on two cores was 3 to 10% faster (resnet18, sepnet_v1, convnet) and peaks were 5 to 18% higher.
# Sources: mallopt(3); torch's docs of THP_MEM_ALLOC_ENABLE.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**36),
    "THP_MEM_ALLOC_ENABLE": "1",
}


def spawn(module: str, *arguments: str, log: Path | None = None) -> "subprocess.Popen[bytes]":
    """Runs `python -m module arguments` in a session of its own.

    Its output goes to the end of a file, never into a pipe: a pipe that nobody reads stops the
    writer after 64 KiB.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    handle = open_regular(log, flags) if log else os.open(os.devnull, flags)
    with os.fdopen(handle, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=repository(),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # reaps the zombie
    return process


def lower_priority(by: int) -> None:
    """Raises the niceness of this process; does nothing on Windows."""
    if hasattr(os, "nice"):
        os.nice(by)


def environment() -> dict[str, str]:
    """The environment of a child: ours, with absolute folders, since it starts in another one."""
    added = {"PYTHONUNBUFFERED": "1", "NO_ALBUMENTATIONS_UPDATE": "1"}
    added |= {name: value for name, value in KEEP_MEMORY.items() if name not in os.environ}
    for name in ("CIFAR10_DIR", "CIFAR_CACHE", "CIFAR_RUNS"):
        if folder := os.environ.get(name):
            added[name] = str(user_path(folder))
    return {**os.environ, **added}
