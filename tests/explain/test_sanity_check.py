"""The sanity check compares with random weights, whatever weights the run itself started from."""

from pathlib import Path

from cifar_core.checkpoints.checkpoint import find_checkpoint, load_model
from cifar_core.explain.comparisons import ABOUT, untrained
from cifar_core.runs.store import read_run
from tests.real_jobs import rewrite


def test_a_fine_tuned_run_is_compared_with_random_weights(finished: Path, copied: Path) -> None:
    start = find_checkpoint(finished)
    request = read_run(copied).request
    rewrite(copied, config={**request["config"], "weights": str(start.path)})
    fine_tuned = read_run(copied)
    assert fine_tuned.config is not None
    assert fine_tuned.config.weights
    weights, random = (untrained(run).state_dict() for run in (fine_tuned, read_run(finished)))
    assert all((weights[name] == random[name]).all() for name in weights)
    learned = load_model(start).state_dict()
    assert not all((weights[name] == learned[name]).all() for name in weights)


def test_the_page_says_random_weights_and_not_before_training() -> None:
    assert "random weights" in ABOUT["sanity"]
    assert "before training" not in ABOUT["sanity"]
