"""The four rules on curves made by hand, and several seeds as one curve."""

import math

import numpy as np
import pytest

from cifar_core.lr_finder.curve import LRCurve, centered
from cifar_core.lr_finder.suggest import (
    RULES,
    Rule,
    Suggestion,
    disagreement,
    minimum,
    slide,
    steepest,
    suggest_all,
    valley,
)

LRS = np.geomspace(1e-5, 10, 100)
EXPONENTS = np.log10(LRS)


def bowl(fall_at: float = -3.5, rise_at: float = -0.2) -> list[float]:
    """From 2.3 down by 1.5, steepest at 10 ** fall_at, and up again."""
    down = 1.5 / (1 + np.exp(-(EXPONENTS - fall_at) / 0.3))
    up = 20 / (1 + np.exp(-(EXPONENTS - rise_at - 1) / 0.15))
    return (2.3 - down + up).tolist()


def read(rule: Rule, losses: list[float]) -> Suggestion:
    found = rule(LRS.tolist(), losses, 5.0)
    assert found is not None
    return found


def test_on_a_smooth_bowl_each_rule_is_where_it_says() -> None:
    losses = bowl()
    lowest = LRS[int(np.argmin(losses))]
    assert math.log10(read(steepest, losses).lr) == pytest.approx(-3.5, abs=0.1)
    assert read(minimum, losses).lr == pytest.approx(lowest / 10)
    assert 1e-4 < read(valley, losses).lr < lowest
    assert 10**-3 < read(slide, losses).lr < 1
    assert [one.rule for one in suggest_all(curve(losses))] == [
        "steepest",
        "valley",
        "minimum/10",
        "slide",
    ]


def curve(losses: list[float]) -> LRCurve:
    return LRCurve(LRS[: len(losses)].tolist(), losses, losses, losses, 1)


def test_the_valley_of_a_straight_fall_is_its_middle() -> None:
    """Of 85 points from the 11th on; fastai starts one before, and adds a third and a sixth."""
    falling = (5 - EXPONENTS).tolist()
    found = read(valley, falling)
    assert found.index == 10 - 1 + 85 // 3 + 85 // 6
    assert "85 points" in found.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("seed", range(5))
def test_noise_does_not_move_a_rule_out_of_the_fall(rule: Rule, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, len(LRS))
    found = rule(LRS.tolist(), centered((np.array(bowl()) + noise).tolist()), 5.0)
    assert found is None or 1e-5 < found.lr < 3


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_tail_of_no_numbers_is_as_if_the_test_had_ended_there(rule: Rule) -> None:
    losses = bowl()
    for bad in (math.nan, math.inf):
        broken = [*losses[:70], *[bad] * 30]
        assert rule(LRS.tolist(), broken, 5.0) == rule(LRS[:70].tolist(), losses[:70], 5.0)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize(
    "losses",
    [[2.3] * 100, (2.3 + EXPONENTS / 10 + 1).tolist(), bowl()[:9], [], [math.nan] * 100],
    ids=["flat", "rising", "short", "empty", "nan"],
)
def test_a_curve_that_supports_nothing_gets_nothing(rule: Rule, losses: list[float]) -> None:
    assert rule(LRS[: len(losses)].tolist(), losses, 5.0) is None


def test_a_loss_that_never_rises_has_nothing_to_slide_down() -> None:
    assert slide(LRS.tolist(), (5 - EXPONENTS / 4).tolist(), 5.0) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_suggestion_lies_on_the_curve(rule: Rule) -> None:
    losses = bowl()
    found = read(rule, losses)
    assert 0 <= found.index < len(LRS)
    assert LRS[found.index] == pytest.approx(found.lr, rel=0.1)
    assert found.reason.endswith(".")


def test_how_far_they_disagree_is_said() -> None:
    def at(lr: float) -> Suggestion:
        return Suggestion("steepest", lr, 0, ".")

    assert disagreement([]) == disagreement([at(0.1)]) == ""
    assert disagreement([at(0.1), at(0.2)]) == "Heuristics agree within 2.0x."
    far = disagreement([at(0.01), at(0.12), at(0.05)])
    assert far == "Heuristics differ by 12x: treat 0.01 to 0.12 as a range."
