"""Data sets of noise: in memory, as Parquet files, as folders of PNGs."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cifar_core.data import CLASSES, Dataset, Split
from cifar_core.data.dataset import histogram_of


def made_up(num_train: int, num_test: int) -> Dataset:
    """A data set of noise that needs no disk."""
    train, test = made_up_split(num_train, 0), made_up_split(num_test, 1)
    return Dataset("Made up", CLASSES, train, test, "made up")


def made_up_split(num_images: int, seed: int) -> Split:
    """Images of noise, labels 0 to 9 in turn."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (num_images, 32, 32, 3), dtype=np.uint8)
    labels = (np.arange(num_images) % 10).astype(np.uint8)
    return Split(images, labels, histogram_of(images), f"made up {seed}")


def png(image: np.ndarray) -> bytes:
    """The PNG of an (H, W, 3) uint8 image."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def write_parquet(folder: Path, data: Dataset, num_shards: int = 2, seed: int = 0) -> Path:
    """Writes a data set as the hub has it: train in shards, rows shuffled, PNG bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    for name, split, shards in (("train", data.train, num_shards), ("test", data.test, 1)):
        order = generator.permutation(len(split))
        for number, rows in enumerate(np.array_split(order, shards)):
            images = [{"bytes": png(split.images[i]), "path": f"{i}.png"} for i in rows]
            labels = [int(split.labels[i]) for i in rows]
            file = folder / f"{name}-{number:05d}-of-{shards:05d}.parquet"
            pq.write_table(pa.table({"img": images, "label": labels}), file)
    return folder


def write_folders(folder: Path, data: Dataset) -> Path:
    """Writes a data set as a tree of class folders with PNGs."""
    for name, split in (("train", data.train), ("test", data.test)):
        for i, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            place = folder / name / data.classes[label]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{i:05d}.png").write_bytes(png(image))
    return folder
