"""What albumentations records that it did, as columns of numbers, and how far these correlate."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from cifar_core.augment import AugmentSpec
from cifar_core.augment.pipeline import AugmentedImages
from tests.made_up_data import made_up_split

MEAN = (125, 123, 114)
FEWEST = 100  # images in which both columns have a value
FIRED = "fired"
Applied = list[tuple[str, dict[str, Any]]]


class SharedStream(AugmentedImages):
    """The fault: albumentations' own `set_random_seed` gives every operation the same stream."""

    def augment(self, epoch: int, index: int) -> dict[str, Any]:
        self.compose.set_random_seed(1_000_000 * epoch + index)
        return self.compose(image=np.asarray(self.images[index]))


def applied(
    spec: AugmentSpec,
    num_images: int,
    kind: type[AugmentedImages] = AugmentedImages,
    seed: int = 3,
    epoch: int = 0,
) -> list[Applied]:
    """What albumentations says that it did to each image, as training draws it, in our names."""
    images = kind(made_up_split(num_images, 0).images, spec, MEAN, seed=seed)
    steps = [images.augment(epoch, n)["applied_transforms"] for n in range(num_images)]
    return [[(_ours(*step), step[1]) for step in one if step[0] != "PadIfNeeded"] for one in steps]


def _ours(name: str, params: dict[str, Any]) -> str:
    if name == "CoarseDropout" and tuple(params["fill"]) == MEAN:
        return "Cutout"
    return {"RandomCrop": "PadCrop"}.get(name, name)


@dataclass(frozen=True)
class Columns:
    """Numbers of operations, one row per image.

    Attributes:
        owners: Of each column, the operation; operations of one name are told apart by number.
        keys: What the column holds: `FIRED`, or a drawn value.
        values: (N, C) float64, NaN where the operation did not fire.
    """

    owners: list[str]
    keys: list[str]
    values: NDArray[np.float64]

    def drawn(self) -> set[str]:
        """The operations of which values are recorded."""
        return {owner for owner, key in zip(self.owners, self.keys, strict=True) if key != FIRED}


def columns(records: list[Applied], names: list[str]) -> Columns:
    """Whether each operation fired, and each value that differs between images.

    Args:
        names: The operations; of those that stand twice, the second is `name 2`.
    """
    table: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row, transforms in enumerate(records):
        numbers: dict[str, int] = defaultdict(int)
        for name, params in transforms:
            numbers[name] += 1
            owner = name if numbers[name] == 1 else f"{name} {numbers[name]}"
            table[owner, FIRED][row] = 1.0
            for key, value in _numbers(params):
                table[owner, key][row] = value
    kept = {at: _column(found, len(records), at[1] == FIRED) for at, found in table.items()}
    kept = {at: column for at, column in kept.items() if _varies(column) and at[0] in names}
    return Columns([o for o, _ in kept], [k for _, k in kept], np.stack(list(kept.values()), 1))


def _numbers(params: dict[str, Any]) -> list[tuple[str, float]]:
    """The numbers of a record: of a short array the first four, of a long one a mean.

    The mean is that of its first third, far from its middle: a bulge moves no pixel there.
    """
    numbers = []
    for key, value in params.items():
        parts = value.values() if isinstance(value, dict) else [value]
        for part in (p for p in parts if p is not None and not isinstance(p, str)):
            flat = np.ravel(np.asarray(part, dtype=np.float64))
            short = len(flat) <= 9 or key == "holes"
            taken = flat[:4] if short else [flat[: len(flat) // 3].mean()]
            numbers += [(f"{key} {n} of {short}", float(v)) for n, v in enumerate(taken)]
    return numbers


def _column(found: dict[int, float], num: int, is_flag: bool) -> NDArray[np.float64]:
    column = np.full(num, 0.0 if is_flag else np.nan)
    column[list(found)] = list(found.values())
    return column


def _varies(column: NDArray[np.float64]) -> bool:
    """Whether no value is so frequent that the others hardly ever meet."""
    _, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return len(counts) > 1 and counts.max() < 0.9 * counts.sum()


def worst(one: Columns, other: Columns | None = None, apart: tuple[set[str], ...] = ()) -> float:
    """The largest rank correlation between two operations, in standard deviations of chance.

    Args:
        other: Columns to compare with, of the same images; by default the same.
        apart: Groups of operations whose flags depend on each other, as those of a choice do.
    """
    second = other or one
    r, n = _correlation(_ranks(one.values), _ranks(second.values))
    score = np.where(n >= FEWEST, np.abs(r) * np.sqrt(n), 0.0)
    for row, (owner, key) in enumerate(zip(one.owners, one.keys, strict=True)):
        for column, (with_owner, with_key) in enumerate(
            zip(second.owners, second.keys, strict=True)
        ):
            same = other is None and owner == with_owner
            chosen = any(owner in group and with_owner in group for group in apart)
            if same or (chosen and FIRED in (key, with_key)):
                score[row, column] = 0.0
    return float(np.nan_to_num(score).max())


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column's values by their order, -1 to 1; so that none outweighs the others."""
    ranks = rankdata(values, axis=0, nan_policy="omit")
    middle, half = np.nanmean(ranks, axis=0), np.nanmax(ranks, axis=0) / 2
    return (ranks - middle) / half


def _correlation(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pearson's r of each two columns over the rows that both have, and the number of these."""
    in_x, in_y = ~np.isnan(x), ~np.isnan(y)
    x, y, in_x, in_y = np.nan_to_num(x), np.nan_to_num(y), in_x.astype(float), in_y.astype(float)
    n = np.maximum(in_x.T @ in_y, 1.0)
    sum_x, sum_y = x.T @ in_y, in_x.T @ y
    spread_x, spread_y = (x**2).T @ in_y - sum_x**2 / n, in_x.T @ y**2 - sum_y**2 / n
    product = np.maximum(spread_x, 1e-9) * np.maximum(spread_y, 1e-9)
    return (x.T @ y - sum_x * sum_y / n) / np.sqrt(product), n
