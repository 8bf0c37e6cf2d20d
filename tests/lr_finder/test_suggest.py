"""Rules on curves made by hand, whose steepest point is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.lr_finder.curve import centered
from cifar_core.lr_finder.suggest import MIN_POINTS, SKIPPED_END, Suggestion, steepest

LRS = np.geomspace(1e-5, 10, 100)
EXPONENTS = np.log10(LRS)


def fall(center: float, height: float = 2.0, width: float = 0.3) -> NDArray[np.float64]:
    """A smooth step down of the loss, steepest at 10 ** center."""
    return -height / (1 + np.exp(-(EXPONENTS - center) / width))


def valley(center: float) -> NDArray[np.float64]:
    """Down, steepest at 10 ** center, and up again two decades later."""
    return 2.3 + fall(center) - fall(center + 2, height=8, width=0.2)


def suggested(losses: NDArray[np.float64], lrs: NDArray[np.float64] = LRS) -> Suggestion:
    found = steepest(lrs.tolist(), losses.tolist())
    assert found is not None
    assert found.lr == lrs[found.index]
    assert found.rule == "steepest"
    return found


@pytest.mark.parametrize("center", [-3.5, -3.0, -2.2, -1.5])
def test_a_smooth_valley_gives_its_inflection(center: float) -> None:
    nearest = int(np.argmin(np.abs(EXPONENTS - center)))
    assert suggested(valley(center)).index == pytest.approx(nearest, abs=1)


def test_the_reason_names_the_slope_per_tenfold_rate() -> None:
    # 1.5 less for each decade, all along; the first point that counts wins a tie.
    falling = 20 - 1.5 * EXPONENTS
    falling[50] -= 1e-3
    found = suggested(falling)
    assert found.index == 49
    assert (
        found.reason == "Steepest descent: the loss falls by 1.5 per decade of the learning rate."
    )


@pytest.mark.parametrize("seed", range(20))
def test_noise_moves_it_by_less_than_a_decade(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.01, len(LRS))
    found = suggested(valley(-2.5) + noise)
    assert abs(math.log10(found.lr) + 2.5) < 0.6


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_tail_of_no_numbers_is_as_if_the_test_had_ended_there(bad: float) -> None:
    losses = valley(-2.5)
    losses[70:] = bad
    assert suggested(losses) == suggested(losses[:70], LRS[:70])


def test_what_follows_a_point_that_is_no_number_does_not_count() -> None:
    losses = valley(-2.5)
    losses[20] = math.nan  # before the fall
    assert steepest(LRS.tolist(), losses.tolist()) is None


def test_a_bounce_after_divergence_does_not_count() -> None:
    losses = valley(-3)
    losses[75:90] = 60
    losses[90:] = 0.1  # the steepest fall of all, and the lowest loss
    assert suggested(losses) == suggested(losses[:75], LRS[:75])


@pytest.mark.parametrize("top", [2.42, 3.0])
def test_a_bounce_after_a_blow_up_that_never_diverged_does_not_count(top: float) -> None:
    losses = 2.34 + fall(-2.5, height=0.1)[:70]  # as a network that is thrown back to its start
    losses[60:65] = np.linspace(losses[59], top, 5)
    losses[65:] = np.linspace(top, 2.0, 5)
    losses[69] = 2.3
    assert abs(math.log10(suggested(losses, LRS[:70]).lr) + 2.5) < 0.1


def test_a_bounce_above_the_lowest_loss_does_not_count() -> None:
    losses = valley(-3)
    lowest = int(np.argmin(losses))
    losses[80:85] += np.array([1, 2, 3, 1, 0])
    assert suggested(losses).index < lowest


def test_an_early_spike_is_left_out() -> None:
    losses = valley(-2)
    expected = suggested(losses)
    losses[1:6] += [3, 6, 4, 2, 0.5]
    assert suggested(losses) == expected


def test_the_last_points_are_left_out() -> None:
    losses = valley(-2)[:60]
    expected = suggested(losses, LRS[:60])
    losses[57:] -= [1, 2, 3]
    assert suggested(losses, LRS[:60]).index <= 60 - SKIPPED_END
    assert suggested(losses, LRS[:60]) == expected


@pytest.mark.parametrize(
    "losses",
    [
        np.full(100, 2.3),
        2.3 - 0.002 * EXPONENTS,
        2.3 + np.random.default_rng(0).normal(0, 0.002, 100),
        np.linspace(2.3, 9, 100),
        np.geomspace(2.3, 1e6, 100),
        2.3 + np.linspace(0, 5, 100) + np.random.default_rng(1).normal(0, 0.01, 100),
        np.full(100, math.nan),
        np.zeros(100),
    ],
    ids=["flat", "nearly flat", "flat noise", "rising", "diverging", "rising noise", "nan", "zero"],
)
def test_a_curve_without_a_fall_gives_nothing(losses: NDArray[np.float64]) -> None:
    assert steepest(LRS.tolist(), losses.tolist()) is None


def test_a_short_curve_gives_nothing() -> None:
    enough = MIN_POINTS + SKIPPED_END + 1  # a tenth of 14 is left out, too
    lrs = np.geomspace(1e-4, 1, enough).tolist()
    losses = np.linspace(3, 1, enough).tolist()
    assert steepest(lrs, losses) is not None
    for count in range(enough):
        assert steepest(lrs[:count], losses[:count]) is None


def test_rates_that_do_not_rise_end_the_curve() -> None:
    losses = np.linspace(3, 1, 100).tolist()
    assert steepest([0.1] * 100, losses) is None
    assert steepest([0.0] * 100, losses) is None


def test_linear_rates_are_judged_by_their_logarithm_too() -> None:
    lrs = np.linspace(0.01, 1, 100)
    # Falls by 1 per decade, but by 3 per decade between 0.3 and 0.4.
    knee = np.interp(np.log10(lrs), np.log10([0.01, 0.3, 0.4, 1]), [5, 3.52, 3.15, 2.75])
    assert 0.3 <= suggested(knee, lrs).lr <= 0.4


def test_it_is_pure() -> None:
    lrs, losses = LRS.tolist(), valley(-2).tolist()
    before = list(lrs), list(losses)
    assert steepest(lrs, losses) == steepest(lrs, losses)
    assert (lrs, losses) == before


def test_centered_smoothing_keeps_the_place_of_a_fall() -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, len(LRS))
    losses = valley(-2.5) + noise
    found = suggested(np.array(centered(losses.tolist())))
    assert abs(math.log10(found.lr) + 2.5) < 0.3
    running = [losses[0]]
    for loss in losses[1:]:
        running.append(0.05 * loss + 0.95 * running[-1])
    assert suggested(np.array(running)).lr > 3 * found.lr
