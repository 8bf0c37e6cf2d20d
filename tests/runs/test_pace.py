"""Progress and time left of a training, against figures made by hand."""

import pytest

from cifar_core.records.records import (
    Metrics,
)
from cifar_core.records.steps import Steps
from cifar_core.runs.pace import Pace, pace
from tests.records.test_records import epoch_at, step_at


def test_pace_before_the_first_figures_is_unknown() -> None:
    assert pace(Metrics(), 10, 100, 32) == Pace(0, 0.0, None, None)
    assert pace(Metrics(steps=Steps((step_at(3),))), 10, 0, 32) == Pace()


def test_pace_in_the_first_epoch_equals_the_hand_figures() -> None:
    metrics = Metrics(
        steps=Steps((step_at(10, images_per_s=100.0), step_at(30, images_per_s=300.0)))
    )
    # 4 epochs of 50 steps of 20 images: 170 of 200 steps left, 200 images a second on average.
    assert pace(metrics, 4, 50, 20) == Pace(1, 30 / 200, 200.0, 170 * 20 / 200)


def test_pace_counts_the_evaluations_still_to_come() -> None:
    metrics = Metrics(
        steps=Steps((step_at(75, images_per_s=250.0),)),
        epochs=(epoch_at(1, step=50, eval_s=3.0),),
    )
    # 125 steps of 20 images at 250 a second, and three evaluations of three seconds.
    assert pace(metrics, 4, 50, 20) == Pace(2, 75 / 200, 250.0, 10.0 + 9.0)


def test_pace_looks_at_the_last_twenty_records() -> None:
    slow = [step_at(n, images_per_s=1.0) for n in range(1, 31)]
    fast = [step_at(n, images_per_s=400.0) for n in range(31, 51)]
    found = pace(Metrics(steps=Steps((*slow, *fast))), 1, 50, 20)
    assert (found.images_per_s, found.left_s) == (400.0, 0.0)


def test_records_beyond_the_end_are_the_end() -> None:
    found = pace(Metrics(steps=Steps((step_at(51), step_at(1051)))), 1, 50, 20)
    assert (found.share, found.left_s) == (1.0, 0.0)


def test_until_there_are_enough_records_the_forecast_stands_in_for_the_rest() -> None:
    steps = [step_at(n, images_per_s=100.0) for n in range(1, 31)]
    for count, speed in ((5, (5 * 100 + 15 * 300) / 20), (20, 100.0), (30, 100.0)):
        found = pace(Metrics(steps=Steps(steps[:count])), 1, 50, 20, expected=300.0)
        assert found.left_s == pytest.approx((50 - count) * 20 / speed)
        assert found.images_per_s == 100.0, "what is shown was measured"


def test_pace_of_epochs_too_short_for_a_step_record_comes_from_the_epochs() -> None:
    metrics = Metrics(epochs=(epoch_at(1, step=5, images_per_s=50.0, eval_s=1.0),))
    assert pace(metrics, 3, 5, 10) == Pace(1, 5 / 15, 50.0, 10 * 10 / 50 + 2 * 1.0)


@pytest.mark.parametrize(("step", "epoch"), [(1, 1), (49, 1), (50, 1), (51, 2), (200, 4)])
def test_pace_names_the_epoch_under_way(step: int, epoch: int) -> None:
    assert pace(Metrics(steps=Steps((step_at(step),))), 4, 50, 20).epoch == epoch


def test_pace_of_a_finished_run_has_nothing_left() -> None:
    metrics = Metrics(
        steps=Steps((step_at(99),)), epochs=(epoch_at(1, step=50), epoch_at(2, step=100))
    )
    found = pace(metrics, 2, 50, 20)
    assert (found.epoch, found.share, found.left_s) == (2, 1.0, 0.0)


def test_pace_without_a_speed_knows_no_time_left() -> None:
    # An epoch resumed after its last step trains nothing more: no images a second.
    metrics = Metrics(epochs=(epoch_at(1, step=5, images_per_s=0.0),))
    found = pace(metrics, 3, 5, 10)
    assert (found.epoch, found.share, found.left_s) == (1, 5 / 15, None)


def test_time_left_goes_on_while_an_epoch_is_evaluated() -> None:
    """There are no records then."""
    metrics = Metrics(steps=Steps((step_at(50, images_per_s=100.0),)))
    before = pace(metrics, 2, 50, 20, eval_s=4.0)
    assert before.left_s == 50 * 20 / 100 + 2 * 4 == 18
    assert pace(metrics, 2, 50, 20, eval_s=4.0, since_s=3.0).left_s == 15
    assert pace(metrics, 2, 50, 20, eval_s=4.0, since_s=1e6).left_s == 0.0
