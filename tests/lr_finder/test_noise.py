"""No suggestion from batches that differ by chance; one from curves that fall."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.lr_finder.curve import LRCurve, centered, curve_of
from cifar_core.lr_finder.noise import ALPHA, fall_by_chance
from cifar_core.lr_finder.suggest import explain_none, steepest, suggest_all, suggest_lr
from cifar_core.records.records import LRPoint
from tests.lr_finder.test_fastai_rules import CURVES, LRS

SCATTER = 0.1
NOISES = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "heavy tails": lambda rng, n: rng.standard_t(4, n) / np.sqrt(2),
    "skewed": lambda rng, n: (rng.lognormal(0, 0.6, n) - 1.197) / 0.791,
}


def points_of(*seeds: NDArray[np.float64]) -> list[LRPoint]:
    rates = np.geomspace(1e-5, 10, len(seeds[0])).tolist()
    return [
        LRPoint(step, rate, float(loss), float(loss), seed)
        for seed, losses in enumerate(seeds)
        for step, (rate, loss) in enumerate(zip(rates, losses, strict=True), 1)
    ]


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("num_seeds", [1, 3])
def test_of_two_hundred_curves_of_noise_next_to_none_get_a_suggestion(
    kind: str, num_seeds: int
) -> None:
    rng, given, fell = np.random.default_rng(1), 0, 0
    for number in range(200):
        n = (20, 30, 50, 100)[number % 4]
        points = points_of(*(2.3 + SCATTER * NOISES[kind](rng, n) for _ in range(num_seeds)))
        curve = curve_of(points)
        given += suggest_lr(points) is not None
        fell += steepest(curve.lrs, curve.losses) is not None
    assert given <= 15  # the 95 % quantile of 200 draws at `ALPHA`; 0 to 12 are seen
    assert fell >= 80, "the rule alone finds a fall in the noise"


@pytest.mark.parametrize(("depth", "found"), [(1, 0.2), (2, 0.9), (3, 0.98)])
def test_falls_of_twice_the_scatter_are_found(depth: float, found: float) -> None:
    rng, exponents = np.random.default_rng(2), np.log10(LRS)
    fall = depth * SCATTER / (1 + np.exp(-(exponents + 2.5) / 0.3))
    rise = 2 / (1 + np.exp(-(exponents - 0.6) / 0.15))
    curves = (points_of(2.3 - fall + rise + rng.normal(0, SCATTER, 100)) for _ in range(100))
    assert np.mean([suggest_lr(points) is not None for points in curves]) >= found


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("scatter", [0.0, 0.02, 0.1])
def test_ten_falling_curves_keep_their_suggestion(name: str, scatter: float) -> None:
    losses = CURVES[name] + np.random.default_rng(3).normal(0, scatter, 100)
    curve = curve_of(points_of(losses))
    expected = steepest(curve.lrs, curve.losses)
    assert expected is not None
    assert suggest_all(curve)[0] == suggest_lr(points_of(losses)) == expected


@pytest.mark.parametrize("num_seeds", [1, 3])
def test_a_fall_by_chance_scatters_as_computed(num_seeds: int) -> None:
    """One pair of points, so that no quantile is corrected for several."""
    rng, first, lowest = np.random.default_rng(4), 10, 60
    falls, limits = [], []
    for _ in range(2000):
        points = points_of(*rng.normal(0, SCATTER, (num_seeds, 100)))
        curve = curve_of(points)
        falls.append(curve.losses[first] - curve.losses[lowest])
        limits.append(fall_by_chance(curve, first, lowest, first + 2))
    exceeded = float(np.mean(np.array(falls) > np.array(limits)))
    # Of three seeds the factor of a large number is taken: their median has 0.45, not 0.52.
    assert 0.5 * ALPHA <= exceeded <= 1.5 * ALPHA
    quantile = np.quantile(falls, 1 - ALPHA)
    assert np.median(limits) == pytest.approx(quantile, rel=0.15)


def test_the_limit_is_that_of_a_mean_of_ten_losses() -> None:
    """By hand: without smoothing weights, the variance of a difference of two means is 2 s^2/n."""
    raw = np.random.default_rng(5).normal(0, 1, 400)
    curve = curve_of([LRPoint(k + 1, 10.0 ** (k / 100), v, v) for k, v in enumerate(raw.tolist())])
    effective = 2 * np.sqrt(np.pi) * 0.04 * 400  # losses in a mean weighted by a Gaussian
    scatter = np.sqrt(np.square(np.diff(raw[:301])).mean() / 2)
    expected = 1.6449 * scatter * np.sqrt(2 / effective)  # the quantile of 95 %
    assert fall_by_chance(curve, 100, 300, 102) == pytest.approx(expected, rel=1e-3)


def test_more_points_to_choose_the_lowest_from_raise_the_limit() -> None:
    curve = curve_of(points_of(np.random.default_rng(6).normal(0, 1, 100)))
    limits = [fall_by_chance(curve, 10, 50, end) for end in (12, 60, 95)]
    assert limits == sorted(limits)
    assert limits[0] < limits[-1]


def test_a_smooth_curve_without_losses_of_batches_has_no_limit() -> None:
    losses = centered((5 - np.log10(LRS)).tolist())
    curve = LRCurve(LRS.tolist(), losses, losses, losses, 1)
    assert fall_by_chance(curve, 10, 90, 95) == 0
    assert suggest_all(curve)


def test_the_reason_names_fall_and_scatter_and_the_next_step() -> None:
    rng = np.random.default_rng(8)
    told = set()
    for _ in range(20):
        curve = curve_of(points_of(2.3 + rng.normal(0, 0.2, 30)))
        assert not suggest_all(curve)
        told.add(explain_none(curve).split(" by ")[0])
        if " by " in explain_none(curve):
            assert explain_none(curve).endswith(
                "Try a higher end LR, more steps or seeds, or larger batches."
            )
    flat = "No suggestion from this curve. Try another LR range or more steps."
    assert told == {"No suggestion from this curve. The loss falls", flat}
    assert explain_none(curve_of([])) == flat
