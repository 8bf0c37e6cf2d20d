"""A decoded split before it is cached: sorted, fingerprinted, compared with the official one."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.data.sources import Source
from cifar_core.errors import DataError

# Fingerprint of any complete copy in any format: SHA-256 over the sorted SHA-256 digests of
# (label byte + 3,072 pixel bytes). Measured on the complete data set.
OFFICIAL = {
    "train": "d59acf989e068e709ce686cda292672c7b212c08d29d3d3e6d8c3aa99eba6a85",
    "test": "899683d46c3a8c66fd56e1af12202e69fe5a4517be10b0f68e04c78fe585c57c",
}


@dataclass(frozen=True, eq=False)
class DecodedSplit:
    """One split, sorted by each image's digest.

    Attributes:
        images: (N, 32, 32, 3) uint8.
        labels: (N,) uint8.
        fingerprint: SHA-256 over the sorted digests; empty if there are no images.
        masks: (N, 32, 32) bool; None if unknown.
        names: (N,) file names; None if there are none.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    fingerprint: str
    masks: NDArray[np.bool_] | None = None
    names: NDArray[np.str_] | None = None


def sort_split(
    chunks: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    masks: NDArray[np.bool_] | None = None,
    names: list[str] | None = None,
) -> DecodedSplit:
    """Sorts by digest, so that an index means the same image whatever format the data came in."""
    if not sum(len(labels) for _, labels in chunks):
        return DecodedSplit(np.empty((0, 32, 32, 3), np.uint8), np.empty(0, np.uint8), "")
    images = np.concatenate([images for images, _ in chunks])
    labels = np.concatenate([labels for _, labels in chunks])
    digests = [
        hashlib.sha256(bytes([label]) + image.tobytes()).digest()
        for image, label in zip(images, labels, strict=True)
    ]
    order = np.asarray(sorted(range(len(digests)), key=digests.__getitem__))
    fingerprint = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
    sorted_masks = None if masks is None else masks[order]
    sorted_names = None if names is None else np.asarray(names)[order]
    return DecodedSplit(images[order], labels[order], fingerprint, sorted_masks, sorted_names)


def hold_out_test(train: DecodedSplit) -> dict[str, DecodedSplit]:
    """Training and test split of images that are all meant for training: every fifth is held out.

    They are sorted by digest, so that which ones does not depend on the order of the files.
    """
    held_out = np.arange(len(train.labels)) % 5 == 0
    return {"train": _rows(train, ~held_out), "test": _rows(train, held_out)}


def _rows(split: DecodedSplit, chosen: NDArray[np.bool_]) -> DecodedSplit:
    names = None if split.names is None else split.names[chosen].tolist()
    return sort_split([(split.images[chosen], split.labels[chosen])], names=names)


def check_official(source: Source, splits: dict[str, DecodedSplit], allow_modified: bool) -> None:
    """Refuses anything but the complete data set, unless the user accepts it.

    Raises:
        DataError: if the splits are incomplete or modified and not accepted.
    """
    if is_official(splits):
        return
    problem = _problem(source, splits)
    if not source.pickle_free:
        raise DataError(f"{problem} Pickled copies must be the official ones. Download it again.")
    train, test = len(splits["train"].labels), len(splits["test"].labels)
    kaggle = source.form == "kaggle"
    if train < 1 + kaggle or not (test or kaggle):
        raise DataError(f"{problem} Both a train and a test split are needed.")
    if not allow_modified:
        accept = "accept it as a modified copy"
        if kaggle:
            accept += ", in which every fifth of its training images is held out as the test split"
        raise DataError(
            f"{problem} Download CIFAR-10, or {accept}: "
            f"python -m cifar_core data prepare --data {source.path} --allow-modified."
        )


def is_official(splits: dict[str, DecodedSplit]) -> bool:
    """Whether both splits have the fingerprints of the complete data set."""
    return all(splits[name].fingerprint == OFFICIAL[name] for name in OFFICIAL)


def _problem(source: Source, splits: dict[str, DecodedSplit]) -> str:
    """What is missing or other than expected."""
    train, test = len(splits["train"].labels), len(splits["test"].labels)
    if source.form == "kaggle":
        complete = splits["train"].fingerprint == OFFICIAL["train"]
        problem = (
            f"{source.path} has {train:,} training images from Kaggle, "
            f"{'all' if complete else 'not the 50,000'} of CIFAR-10, and no labels for the test "
            "images of the competition, so they are not read."
        )
    else:
        problem = (
            f"{source.path} is not the complete CIFAR-10: {train:,} + {test:,} images "
            f"(expected 50,000 + 10,000) with another fingerprint."
        )
    return f"{problem} {unread}" if (unread := source.unread()) else problem
