"""A partly downloaded file, `<target>.part`, and `<target>.part.json`, which describes it."""

import os
from dataclasses import dataclass
from pathlib import Path

from cifar_core.errors import DataError
from cifar_core.system.files import file_sha256, read_json, sync_folder, write_json
from cifar_core.system.progress import Progress


@dataclass(frozen=True)
class PartialFile:
    """The bytes received so far, and the note that says which file they belong to."""

    target: Path
    url: str
    path: Path
    note: Path

    def state(self) -> tuple[int, int | None, str | None]:
        """Bytes received, total bytes, and the server's identifier for this version."""
        note = read_json(self.note)
        if note is None or note.get("url") != self.url or not self.path.is_file():
            return 0, None, None
        return self.path.stat().st_size, note.get("total"), note.get("version")

    def begin(self, total: int | None, version: str | None) -> None:
        """Starts over; the old note is deleted first, so that it never describes new bytes."""
        self.discard()
        self.path.touch()
        write_json(self.note, {"url": self.url, "total": total, "version": version})

    def discard(self) -> None:
        """Deletes the received bytes."""
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def report(self, stage: str) -> Progress:
        """The progress so far."""
        return Progress(f"{stage} {self.target.name}", *self.state()[:2], "bytes")

    def finish(self, sha256: str | None) -> None:
        """Verifies the bytes and moves them into place.

        Raises:
            DataError: if their SHA-256 is not the expected one.
        """
        if sha256 and (actual := file_sha256(self.path)) != sha256:
            size = self.path.stat().st_size
            self.discard()
            raise DataError(
                f"{self.url} sent {size:,} bytes with SHA-256 {actual}; expected {sha256}. "
                "They were deleted. Download again; if it fails again, choose another origin."
            )
        with self.path.open("rb+") as stream:
            os.fsync(stream.fileno())
        self.path.replace(self.target)
        sync_folder(self.target.parent)
        self.note.unlink(missing_ok=True)
