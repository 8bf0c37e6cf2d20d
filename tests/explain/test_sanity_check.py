"""The sanity check compares with random weights, whatever weights the run itself started from."""

from pathlib import Path

from cifar_core.checkpoints.checkpoint import find_checkpoint, load_model
from cifar_core.explain.comparisons import ABOUT, untrained_model
from cifar_core.runs.store import TrainingRun, read_run
from tests.real_jobs import rewrite


def test_a_fine_tuned_run_is_compared_with_random_weights(finished: Path, copied: Path) -> None:
    start = find_checkpoint(finished)
    config = read_run(copied, TrainingRun).config.model_dump(mode="json")
    rewrite(copied, config={**config, "weights": str(start.path)})
    fine_tuned = read_run(copied, TrainingRun)
    assert fine_tuned.config.weights
    weights, random = (
        untrained_model(run).state_dict() for run in (fine_tuned, read_run(finished, TrainingRun))
    )
    assert all((weights[name] == random[name]).all() for name in weights)
    learned = load_model(start).state_dict()
    assert not all((weights[name] == learned[name]).all() for name in weights)


def test_the_page_says_random_weights_and_not_before_training() -> None:
    assert "random weights" in ABOUT["sanity"]
    assert "before training" not in ABOUT["sanity"]
