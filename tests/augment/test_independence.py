"""Operations of one spec are independent: what fires, and with which values, on both paths."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cifar_core.augment import CATALOG, PRESETS, AugmentSpec, Operation, kernels
from cifar_core.augment.pipeline import AugmentedImages
from tests.augment.built import PIXEL, of
from tests.augment.recorded import FIRED, Columns, SharedStream, applied, columns, worst

# In standard deviations of chance: of 10,000 pairs, one exceeds five in a hundred tests.
BOUND = 5.0
# Operations of which albumentations records nothing that differs between images.
NOTHING_DRAWN = {
    *("HorizontalFlip", "VerticalFlip", "Transpose", "Equalize", "AutoContrast", "ToGray"),
    *("InvertImg", "Blur", "MedianBlur"),
}
SEVERAL = pytest.mark.parametrize("kind", ["OneOf", "SomeOf"])


def everything(p: float = 0.5) -> AugmentSpec:
    """Every operation of the catalog in one spec, so that every pair of them meets."""
    return of(*(Operation(name=name, p=p) for name in PIXEL))


def counts(full: bool, few: int, many: int) -> int:
    return many if full else few


def flags_of(table: Columns) -> NDArray[np.bool_]:
    """(N, operations): which fired."""
    return table.values[:, [key == FIRED for key in table.keys]] > 0


def combinations_of(spec: AugmentSpec, num_images: int) -> "Counter[frozenset[str]]":
    """How often each set of operations was applied together."""
    return Counter(frozenset(name for name, _ in one) for one in applied(spec, num_images))


def test_no_operation_says_anything_about_another(full: bool) -> None:
    """Flags and values of every pair; under --full also how often each three fire together."""
    num = counts(full, 400, 4000)
    table = columns(applied(everything(), num), PIXEL)
    assert {owner for owner, key in zip(table.owners, table.keys, strict=True) if key == FIRED} == {
        *PIXEL
    }
    assert table.drawn() == {*PIXEL} - NOTHING_DRAWN
    flags = flags_of(table)
    assert (np.abs(flags.mean(axis=0) - 0.5) < BOUND * 0.5 / num**0.5).all()
    assert worst(table) < BOUND
    if full:
        assert worst_share_of_three(flags) < 0.03


def worst_share_of_three(flags: NDArray[np.bool_]) -> float:
    """How far from 1/8 the share of any combination of any three operations is."""
    furthest = 0.0
    both_ways = np.concatenate([flags, ~flags], axis=1).astype(np.float64)
    number = flags.shape[1]
    for one, other in itertools.combinations(range(number), 2):
        for a, b in itertools.product((one, one + number), (other, other + number)):
            shares = (both_ways[:, a] * both_ways[:, b]) @ both_ways / len(flags)
            third = [c for c in range(2 * number) if c % number not in (one, other)]
            furthest = max(furthest, float(np.abs(shares[third] - 1 / 8).max()))
    return furthest


def test_one_stream_for_all_operations_would_be_noticed(full: bool) -> None:
    num = counts(full, 150, 2000)
    table = columns(applied(everything(), num, SharedStream), PIXEL)
    assert worst(table) > 0.9 * num**0.5
    assert worst_share_of_three(flags_of(table)) > 0.3
    certain = columns(applied(everything(1.0), num, SharedStream), PIXEL)
    assert worst(certain) > 0.9 * num**0.5  # values alone: all fire


def test_all_combinations_of_three_operations_occur_equally_often() -> None:
    spec, num = PRESETS["s9_sepnet"], 2000
    acted = combinations_of(spec, num)
    assert len(acted) == 8
    assert max(abs(count / num - 1 / 8) for count in acted.values()) < 0.03


def in_choices(kind: str) -> tuple[AugmentSpec, tuple[set[str], ...]]:
    """Every operation in a choice of three, and the names in each choice."""
    groups = [PIXEL[at : at + 3] for at in range(0, len(PIXEL), 3)]
    choices = []
    for group in groups:
        members = tuple(Operation(name=name, p=0.9) for name in group)
        params: dict[str, Any] = {"n": min(2, len(group))} if kind == "SomeOf" else {}
        choices.append(Operation(name=kind, p=0.9, params=params, operations=members))
    return of(*choices), tuple(map(set, groups))


@SEVERAL
def test_members_of_choices_say_nothing_about_others(kind: str, full: bool) -> None:
    """Within a choice the flags exclude each other; the values, where two fire, do not."""
    spec, groups = in_choices(kind)
    num = counts(full, 300, 2000)
    assert worst(columns(applied(spec, num), PIXEL), apart=groups) < BOUND
    if full:
        shared = columns(applied(spec, num, SharedStream), PIXEL)
        assert worst(shared, apart=groups) > 4 * BOUND


@SEVERAL
def test_a_member_of_a_choice_fires_without_the_operation_before_it(kind: str) -> None:
    members = tuple(Operation(name=n, p=0.5) for n in ("ToGray", "InvertImg", "Solarize"))
    choice = Operation(name=kind, p=0.5, operations=members)
    spec = of(Operation(name="HorizontalFlip", p=0.5), choice)
    acted = combinations_of(spec, 800)
    for member in members:
        alone = acted[frozenset({member.name})]
        flipped = acted[frozenset({member.name, "HorizontalFlip"})]
        assert min(alone, flipped) > 0
        assert abs(alone - flipped) < 5 * (alone + flipped) ** 0.5


@pytest.mark.parametrize("part", [PIXEL[::2], PIXEL[1::2]], ids=["even", "odd"])
def test_two_operations_of_one_kind_draw_apart(part: list[str], full: bool) -> None:
    """Their values where both always fire; how many of the two fire where each does at times."""
    num = counts(full, 200, 2000)
    names = [*part, *(f"{name} 2" for name in part)]
    twice = [Operation(name=name, p=1) for name in part * 2]
    assert worst(columns(applied(of(*twice), num), names)) < BOUND
    if full:
        assert worst(columns(applied(of(*twice), num, SharedStream), names)) > 4 * BOUND
    halves = applied(of(*(Operation(name=name, p=0.5) for name in part * 2)), num)
    for name in part:
        fired = Counter(sum(other == name for other, _ in one) for one in halves)
        for number, share in enumerate((0.25, 0.5, 0.25)):
            chance = (share * (1 - share) / num) ** 0.5
            assert abs(fired[number] / num - share) < BOUND * chance, name


def test_draws_of_other_epochs_images_and_seeds_are_others(full: bool) -> None:
    num = counts(full, 200, 2000)
    first = columns(applied(everything(), num), PIXEL)
    for other in (
        columns(applied(everything(), num, epoch=1), PIXEL),
        columns(applied(everything(), num, seed=4), PIXEL),
        Columns(first.owners, first.keys, np.roll(first.values, 1, axis=0)),  # the image before
    ):
        assert worst(first, other) < BOUND
    assert worst(first, first) > 2 * BOUND


def by_kernels(spec: AugmentSpec, num_images: int, seed: int = 3) -> Columns:
    """What the kernels draw; operations of one name are told apart by their place."""
    drawn: list[tuple[str, str, Any]] = []
    for place, d in enumerate(kernels.draw(spec, num_images, seed)):
        parts = {FIRED: d.applied, "x": d.x, "y": d.y}
        drawn += [(f"{place}", key, part) for key, part in parts.items() if part.any()]
    values = torch.stack([part.double() for *_, part in drawn], dim=1).numpy()
    return Columns([owner for owner, *_ in drawn], [key for _, key, _ in drawn], values)


def test_kernels_fire_and_draw_independently() -> None:
    names = [name for name in PIXEL if CATALOG[name].batched] * 2  # two of each kind
    table = by_kernels(of(*(Operation(name=name, p=0.5) for name in names)), 4000)
    assert table.keys.count(FIRED) == len(names)
    assert worst(table) < BOUND
    assert worst_share_of_three(flags_of(table)) < 0.03
    every = [f"{number}" for number in range(len(table.keys))]
    places = Columns(every, table.keys, table.values)  # x and y of one operation, too
    assert worst(places) < BOUND
    assert worst(table, by_kernels(of(*map(_half, names)), 4000, seed=4)) < BOUND


def _half(name: str) -> Operation:
    return Operation(name=name, p=0.5)


def test_one_stream_for_all_kernels_would_be_noticed() -> None:
    names = [name for name in PIXEL if CATALOG[name].batched]
    alone = [by_kernels(of(_half(name)), 4000) for name in names]
    for one, other in itertools.combinations(alone, 2):
        assert worst(one, other) > 2 * BOUND


def test_an_operation_put_in_behind_others_leaves_their_draws_alone() -> None:
    first = of(Operation(name="HorizontalFlip"), Operation(name="Rotate", p=0.5))
    longer = of(*first.operations, Operation(name="InvertImg", p=0.5))
    for short, long in zip(applied(first, 60), applied(longer, 60), strict=True):
        kept = [step for step in long if step[0] != "InvertImg"]
        assert [name for name, _ in kept] == [name for name, _ in short]
        for (_, one), (_, other) in zip(short, kept, strict=True):
            assert str(one) == str(other)


def test_the_planted_fault_is_that_of_the_library() -> None:
    """Two operations of p 0.5 under one stream fire together or not at all."""
    spec = of(_half("HorizontalFlip"), _half("InvertImg"))
    fired = Counter(len(one) for one in applied(spec, 60, SharedStream))
    assert set(fired) == {0, 2}
    assert issubclass(SharedStream, AugmentedImages)
