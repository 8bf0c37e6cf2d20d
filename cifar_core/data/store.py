"""Decoded data in the user's cache: written once under its fingerprint, opened memory-mapped.

<cache>/decoded/<key>/   train-images.npy train-labels.npy test-… meta.json (written last)
<cache>/sources/<id>     which key a copy on disk decodes to
<cache>/downloads/       archives fetched by `download`
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cifar_core.data.dataset import CLASSES, Dataset, Split, histogram_of
from cifar_core.data.locate import complete, find_source
from cifar_core.data.sources import Source, read_names, read_split
from cifar_core.data.split_build import OFFICIAL, Part, check_official, sorted_part
from cifar_core.errors import DataError
from cifar_core.system.files import write_atomic
from cifar_core.system.paths import cache_dir
from cifar_core.system.progress import Progress

SHAPES_SEEDS = {"train": 10, "test": 11}
SHAPES_SIZES = {"train": 20_000, "test": 2_000}
_FORMAT = 1


def open_dataset(data: str = "cifar10") -> Dataset:
    """Opens a data set; the first time it is decoded or drawn, which takes seconds.

    Args:
        data: "cifar10" (CIFAR10_DIR, then the cache), "shapes10", or the path of a copy.

    Raises:
        DataError: if it is not there, damaged, or not the complete CIFAR-10.
    """
    for _ in prepare(data):
        pass
    folder = ready_folder(data)
    assert folder is not None
    try:
        return _load(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The decoded data in {folder} are damaged ({error}). "
            "Delete that folder; they are decoded again then."
        ) from None


def is_ready(data: str = "cifar10") -> bool:
    """Whether `open_dataset` will find it decoded.

    Raises:
        DataError: if there is nothing to decode either.
    """
    return ready_folder(data) is not None


def prepare(data: str = "cifar10", accept_altered: bool = False) -> Iterator[Progress]:
    """Decodes or draws a data set into the cache; does nothing if it is there.

    Args:
        accept_altered: Take a partial or changed copy, too, if its form holds no pickles.

    Raises:
        DataError: as `open_dataset`.
    """
    if is_ready(data):
        return
    if data == "shapes10":
        yield from _prepare_shapes()
        return
    source = find_source(data)
    assert source is not None
    parts: dict[str, Part] = {}
    total, done = 60_000, 0
    for name in OFFICIAL:
        chunks = []
        for chunk in read_split(source, train=name == "train"):
            chunks.append(chunk)
            done += len(chunk[1])
            yield Progress("Decoding images", done, max(total, done), "images")
        parts[name] = sorted_part(chunks, names=read_names(source, train=name == "train"))
    check_official(source, parts, accept_altered)
    altered = any(parts[name].fingerprint != OFFICIAL[name] for name in OFFICIAL)
    key = "cifar10" if not altered else f"altered-{source.identity()}"
    origin = str(source.path.absolute())
    meta = {"name": "CIFAR-10", "classes": CLASSES, "origin": origin, "altered": altered}
    _write(key, parts, meta)
    _remember(source, key)


def altered_copies() -> dict[str, str]:
    """The partial or changed copies that were accepted: path -> title."""
    found = {}
    for folder in sorted((cache_dir() / "decoded").glob("altered-*/")):
        with contextlib.suppress(DataError, OSError, ValueError, KeyError, TypeError):
            data = _load(folder)
            if ready_folder(data.origin) == folder:
                found[data.origin] = data.title
    return found


def forget(data: str) -> None:
    """Deletes a data set from the cache; it is decoded again when it is needed."""
    if folder := ready_folder(data):
        shutil.rmtree(folder)


def ready_folder(data: str) -> Path | None:
    """The folder of the cache that holds a data set; None if it was not decoded yet.

    Raises:
        DataError: if there is nothing to decode either.
    """
    decoded = cache_dir() / "decoded"
    if data == "shapes10":
        return complete(decoded / _shapes_key())
    source = find_source(data)
    if source is None:
        return complete(decoded / "cifar10")
    note = cache_dir() / "sources" / source.identity()
    return complete(decoded / note.read_text().strip()) if note.is_file() else None


def _shapes_key() -> str:
    from cifar_core.data.shapes import SHAPES_VERSION

    return f"shapes10-v{SHAPES_VERSION}"


def _prepare_shapes() -> Iterator[Progress]:
    from cifar_core.data.shapes import SHAPES, draw_shapes

    parts, done, total = {}, 0, sum(SHAPES_SIZES.values())
    for name, size in SHAPES_SIZES.items():
        yield Progress("Drawing shapes", done, total, "images")
        drawn = draw_shapes(size, SHAPES_SEEDS[name])
        parts[name] = sorted_part([(drawn.images, drawn.labels)], drawn.masks)
        done += size
    meta = {"name": "Shapes-10", "classes": SHAPES, "origin": "drawn by code", "altered": False}
    _write(_shapes_key(), parts, meta)
    yield Progress("Drawing shapes", total, total, "images")


def _write(key: str, parts: dict[str, Part], meta: dict[str, Any]) -> None:
    """Writes beside and moves into place, so that a half-written cache is never seen."""
    decoded = cache_dir() / "decoded"
    try:
        decoded.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=decoded))
    except OSError as error:
        raise DataError(
            f"The cache {decoded} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a folder that can."
        ) from None
    try:
        splits = {}
        for name, part in parts.items():
            np.save(draft / f"{name}-images.npy", part.images)
            np.save(draft / f"{name}-labels.npy", part.labels)
            if part.masks is not None:
                np.save(draft / f"{name}-masks.npy", part.masks)
            if part.names is not None:
                np.save(draft / f"{name}-names.npy", part.names)
            histogram = histogram_of(part.images).tolist()
            splits[name] = {"fingerprint": part.fingerprint, "histogram": histogram}
        text = json.dumps({"format": _FORMAT, "splits": splits, **meta})
        (draft / "meta.json").write_text(text, encoding="utf-8")
        _move_into_place(draft, decoded / key)
    except OSError as error:
        raise DataError(
            f"The decoded data could not be written to {decoded} ({error.strerror}); "
            "200 MB are needed. Make room, or set CIFAR_CACHE."
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _move_into_place(draft: Path, final: Path) -> None:
    """Lets the first of several writers win: what is complete is never taken away."""
    try:
        draft.replace(final)
    except OSError:
        if not complete(final):
            shutil.rmtree(final, ignore_errors=True)
            draft.replace(final)


def _remember(source: Source, key: str) -> None:
    note = cache_dir() / "sources" / source.identity()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(note, key.encode())
    except OSError as error:
        raise DataError(
            f"The cache {note.parent} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a folder that can."
        ) from None


def _load(folder: Path) -> Dataset:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    splits = {}
    for name, facts in meta["splits"].items():
        masks, names = (folder / f"{name}-{kind}.npy" for kind in ("masks", "names"))
        splits[name] = Split(
            images=np.load(folder / f"{name}-images.npy", mmap_mode="r"),
            labels=np.load(folder / f"{name}-labels.npy"),
            histogram=np.asarray(facts["histogram"]),
            fingerprint=facts["fingerprint"],
            masks=np.load(masks, mmap_mode="r") if masks.is_file() else None,
            names=np.load(names) if names.is_file() else None,
        )
    return Dataset(
        name=meta["name"],
        classes=tuple(meta["classes"]),
        train=splits["train"],
        test=splits["test"],
        origin=meta["origin"],
        altered=meta["altered"],
    )
