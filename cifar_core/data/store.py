"""Decoded data in the user's cache: written once under its fingerprint, opened memory-mapped.

<cache>/decoded/<key>/   train-images.npy train-labels.npy test-… meta.json (written last)
<cache>/sources/<id>     the key of a copy on disk that was decoded
<cache>/downloads/       files downloaded by `download`
"""

import contextlib
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cifar_core.data.dataset import CLASSES, Dataset, Split, histogram_of
from cifar_core.data.locate import complete, find_source, readable
from cifar_core.data.sources import Source, read_file_names, read_split
from cifar_core.data.split_build import (
    OFFICIAL,
    DecodedSplit,
    check_official,
    hold_out_test,
    is_official,
    sort_split,
)
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
        DataError: if it is missing, damaged, or not the complete CIFAR-10.
    """
    for _ in prepare(data):
        pass
    folder = ready_folder(data)
    assert folder is not None
    try:
        with readable(folder):
            return _load(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The decoded data in {folder} are damaged ({error}). "
            "Delete that folder to decode them again."
        ) from None


def is_ready(data: str = "cifar10") -> bool:
    """Whether a data set is already decoded.

    Raises:
        DataError: if there is nothing to decode either.
    """
    return ready_folder(data) is not None


def prepare(data: str = "cifar10", allow_modified: bool = False) -> Iterator[Progress]:
    """Decodes or draws a data set into the cache; does nothing if it is there already.

    Args:
        allow_modified: Accept an incomplete or modified copy, if its format has no pickles.

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
    splits: dict[str, DecodedSplit] = {}
    total, done = 60_000, 0
    for name in OFFICIAL:
        chunks = []
        for chunk in read_split(source, train=name == "train"):
            chunks.append(chunk)
            done += len(chunk[1])
            yield Progress("Decoding images", done, max(total, done), "images")
        names = read_file_names(source, train=name == "train")
        splits[name] = sort_split(chunks, names=names)
    check_official(source, splits, allow_modified)
    if source.form == "kaggle":
        splits = hold_out_test(splits["train"])
    modified = not is_official(splits)
    key = "cifar10" if not modified else f"modified-{source.identity()}"
    origin = str(source.path.absolute())
    meta = {"name": "CIFAR-10", "classes": CLASSES, "origin": origin, "altered": modified}
    _write(key, splits, meta)
    _record_key(source, key)


def modified_copies() -> dict[str, str]:
    """The incomplete or modified copies that were accepted: path -> title."""
    titles = {}
    for folder in sorted((cache_dir() / "decoded").glob("modified-*/")):
        with contextlib.suppress(DataError, OSError, ValueError, KeyError, TypeError):
            data = _load(folder)
            if ready_folder(data.origin) == folder:
                titles[data.origin] = data.title
    return titles


def remove_decoded(data: str) -> None:
    """Deletes the decoded copy of a data set; it is decoded again when needed.

    Raises:
        DataError: if it cannot be deleted, such as another user's.
    """
    if folder := ready_folder(data):
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise DataError(
                f"{folder} cannot be deleted ({error.strerror}). Set CIFAR_CACHE to a folder of "
                "your own."
            ) from None


def ready_folder(data: str) -> Path | None:
    """The cache folder of a decoded data set; None if it was not decoded yet.

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
    with readable(note):
        return complete(decoded / note.read_text().strip()) if note.is_file() else None


def _shapes_key() -> str:
    from cifar_core.data.shapes import SHAPES_VERSION

    return f"shapes10-v{SHAPES_VERSION}"


def _prepare_shapes() -> Iterator[Progress]:
    from cifar_core.data.shapes import SHAPES, draw_shapes

    splits, done, total = {}, 0, sum(SHAPES_SIZES.values())
    for name, size in SHAPES_SIZES.items():
        yield Progress("Generating shapes", done, total, "images")
        shapes = draw_shapes(size, SHAPES_SEEDS[name])
        splits[name] = sort_split([(shapes.images, shapes.labels)], shapes.masks)
        done += size
    meta = {"name": "Shapes-10", "classes": SHAPES, "origin": "generated by code", "altered": False}
    _write(_shapes_key(), splits, meta)
    yield Progress("Generating shapes", total, total, "images")


def _write(key: str, splits: dict[str, DecodedSplit], meta: dict[str, Any]) -> None:
    """Writes to a temporary folder and renames it, so that the cache is never half written."""
    decoded = cache_dir() / "decoded"
    try:
        # Not mkdtemp, whose folders are closed to others whatever the umask says.
        draft = decoded / f".draft-{uuid.uuid4().hex}"
        draft.mkdir(parents=True)
    except OSError as error:
        raise DataError(
            f"The cache {decoded} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a writable folder."
        ) from None
    try:
        meta_splits = {}
        for name, split in splits.items():
            np.save(draft / f"{name}-images.npy", split.images)
            np.save(draft / f"{name}-labels.npy", split.labels)
            if split.masks is not None:
                np.save(draft / f"{name}-masks.npy", split.masks)
            if split.names is not None:
                np.save(draft / f"{name}-names.npy", split.names)
            histogram = histogram_of(split.images).tolist()
            meta_splits[name] = {"fingerprint": split.fingerprint, "histogram": histogram}
        text = json.dumps({"format": _FORMAT, "splits": meta_splits, **meta})
        (draft / "meta.json").write_text(text, encoding="utf-8")
        _move_into_place(draft, decoded / key)
    except OSError as error:
        raise DataError(
            f"The decoded data could not be written to {decoded} ({error.strerror}); "
            "200 MB are needed. Free some space, or set CIFAR_CACHE to another folder."
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _move_into_place(draft: Path, final: Path) -> None:
    """Lets the first of several writers win: a complete folder is never replaced."""
    try:
        draft.replace(final)
    except OSError:
        if not complete(final):
            shutil.rmtree(final, ignore_errors=True)
            draft.replace(final)


def _record_key(source: Source, key: str) -> None:
    note = cache_dir() / "sources" / source.identity()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(note, key.encode())
    except OSError as error:
        raise DataError(
            f"The cache {note.parent} cannot be written ({error.strerror}). "
            "Set CIFAR_CACHE to a writable folder."
        ) from None


def _load(folder: Path) -> Dataset:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    splits = {}
    for name, split_meta in meta["splits"].items():
        masks, names = (folder / f"{name}-{kind}.npy" for kind in ("masks", "names"))
        splits[name] = Split(
            images=np.load(folder / f"{name}-images.npy", mmap_mode="r"),
            labels=np.load(folder / f"{name}-labels.npy"),
            histogram=np.asarray(split_meta["histogram"]),
            fingerprint=split_meta["fingerprint"],
            masks=np.load(masks, mmap_mode="r") if masks.is_file() else None,
            names=np.load(names) if names.is_file() else None,
        )
    return Dataset(
        name=meta["name"],
        classes=tuple(meta["classes"]),
        train=splits["train"],
        test=splits["test"],
        origin=meta["origin"],
        modified=meta["altered"],
    )
