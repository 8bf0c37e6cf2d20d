"""System calls that fail when they are told to, in the process that asks for it."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FAULTY: tuple[str, ...] = ("write", "fsync", "rename", "open", "mkdir")


class Faults:
    """Counts the calls of this process that change a disk; one of them fails.

    Args:
        fault: "name" of the call, its "number" from 0, and the "error", such as "EIO"; with
            "count" they are only counted.
    """

    def __init__(self, fault: dict[str, Any]) -> None:
        self.fault = fault
        self.calls = dict.fromkeys(FAULTY, 0)
        self._wrap(os, "write", "write")
        self._wrap(os, "fsync", "fsync")
        self._wrap(os, "mkdir", "mkdir")
        for name in ("rename", "replace"):
            self._wrap(os, name, "rename")
        self._wrap_open()

    def due(self, name: str) -> None:
        """Counts a call, and fails if it is the one."""
        number = self.calls[name]
        self.calls[name] += 1
        if (name, number) == (self.fault.get("name"), self.fault.get("number")):
            code = getattr(errno, self.fault["error"])
            raise OSError(code, os.strerror(code))

    def _wrap(self, module: Any, name: str, counted: str) -> None:
        original: Callable[..., Any] = getattr(module, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.due(counted)
            return original(*args, **kwargs)

        setattr(module, name, wrapped)

    def _wrap_open(self) -> None:
        """Files opened for writing; their buffered writes are counted with those of `os.write`."""
        original = Path.open

        @contextlib.contextmanager
        def wrapped(path: Path, mode: str = "r", **kwargs: Any) -> Iterator[Any]:
            if "w" in mode:
                self.due("open")
            with original(path, mode, **kwargs) as stream:
                yield Stream(stream, self) if "w" in mode else stream

        Path.open = wrapped  # pyright: ignore[reportAttributeAccessIssue] # a context manager is all that is used of it

    def note(self, run_dir: Path) -> None:
        """Leaves the counts in the run's folder."""
        if self.fault.get("count"):
            calls = dict(self.calls)
            draft = run_dir / ".calls.json"
            draft.write_text(json.dumps(calls))
            draft.replace(run_dir / "calls.json")


class Stream:
    """A file whose writes may fail after a part of them."""

    def __init__(self, stream: Any, faults: Faults) -> None:
        self.stream, self.faults = stream, faults
        self.flush, self.fileno = stream.flush, stream.fileno

    def write(self, content: bytes) -> int:
        """Half of it is written before it fails."""
        half = len(content) // 2
        self.stream.write(content[:half])
        self.faults.due("write")
        return half + self.stream.write(content[half:])
