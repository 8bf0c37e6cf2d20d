"""The focal loss against hand tables, torch's cross-entropy, and torchvision's sigmoid form."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from cifar_core.config.train import make_config
from cifar_core.errors import ConfigError
from cifar_core.training.loss import batch_loss, focal_loss

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = 4 * torch.randn(64, 10, generator=GENERATOR)
CLASSES = torch.randint(10, (64,), generator=GENERATOR)
SOFT = 0.3 * F.one_hot(CLASSES, 10) + 0.7 * F.one_hot(CLASSES.flip(0), 10)  # as MixUp makes them
TARGETS = {"hard": CLASSES, "soft": SOFT.float()}


def logits_of(*probabilities: float) -> Tensor:
    """(1, K) logits with this softmax."""
    return torch.tensor([probabilities], dtype=torch.float64).log()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("targets", TARGETS)
def test_the_default_is_torchs_cross_entropy_bit_for_bit(targets: str, smoothing: float) -> None:
    config = make_config({"label_smoothing": smoothing})
    theirs = F.cross_entropy(LOGITS, TARGETS[targets], label_smoothing=smoothing)
    assert torch.equal(batch_loss(config, LOGITS, TARGETS[targets]), theirs)


def test_nll_of_the_log_softmax_is_cross_entropy_bit_for_bit() -> None:
    assert torch.equal(
        F.nll_loss(F.log_softmax(LOGITS, 1), CLASSES), F.cross_entropy(LOGITS, CLASSES)
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("targets", TARGETS)
def test_gamma_zero_is_cross_entropy(targets: str, smoothing: float) -> None:
    theirs = F.cross_entropy(LOGITS, TARGETS[targets], label_smoothing=smoothing)
    torch.testing.assert_close(focal_loss(LOGITS, TARGETS[targets], 0.0, smoothing), theirs)


# The last two: section 3.2 of the paper, 100 and about 1,000 times below cross-entropy.
@pytest.mark.parametrize(
    ("p", "gamma", "factor"),
    [(0.25, 2, 0.5625), (0.5, 1, 0.5), (0.5, 5, 1 / 32), (0.9, 2, 0.01), (0.968, 2, 0.001024)],
)
def test_focal_equals_a_hand_table(p: float, gamma: float, factor: float) -> None:
    loss = focal_loss(logits_of(p, 0.7 * (1 - p), 0.3 * (1 - p)), torch.tensor([0]), gamma)
    assert loss.item() == pytest.approx(-factor * math.log(p), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_for_two_classes_it_is_torchvisions_sigmoid_form(gamma: float) -> None:
    logits, answers = LOGITS[:, 0], CLASSES % 2
    theirs = sigmoid_focal_loss(logits, answers.float(), alpha=-1, gamma=gamma, reduction="mean")
    two = torch.stack([torch.zeros_like(logits), logits], dim=1)
    torch.testing.assert_close(focal_loss(two, answers, gamma), theirs)


def test_for_ten_classes_the_sigmoid_form_is_another_loss() -> None:
    theirs = sigmoid_focal_loss(LOGITS, F.one_hot(CLASSES, 10).float(), alpha=-1)
    ours = focal_loss(LOGITS, CLASSES, 2.0)
    assert not torch.isclose(ours, theirs.mean())
    assert not torch.isclose(ours, theirs.sum(dim=1).mean())
    moved = LOGITS + 3  # no softmax changes
    torch.testing.assert_close(focal_loss(moved, CLASSES, 2.0), ours)


def test_the_loss_of_a_mixed_target_is_the_mixture_of_the_losses() -> None:
    pure = [focal_loss(LOGITS, classes, 2.0) for classes in (CLASSES, CLASSES.flip(0))]
    torch.testing.assert_close(focal_loss(LOGITS, SOFT, 2.0), 0.3 * pure[0] + 0.7 * pure[1])


def test_smoothing_spreads_a_share_over_all_classes() -> None:
    each = [focal_loss(LOGITS, torch.full_like(CLASSES, k), 2.0) for k in range(10)]
    by_hand = 0.8 * focal_loss(LOGITS, CLASSES, 2.0) + 0.2 * torch.stack(each).mean()
    torch.testing.assert_close(focal_loss(LOGITS, CLASSES, 2.0, smoothing=0.2), by_hand)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_its_gradient_is_that_of_finite_differences(gamma: float) -> None:
    logits = LOGITS[:4].double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, SOFT[:4].double(), gamma), logits)


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 2.0, 10.0])
@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_certain_predictions_have_finite_losses_and_gradients(gamma: float, scale: float) -> None:
    logits = torch.eye(3).mul(scale).requires_grad_()  # p = 1 for the class itself
    for targets in (torch.arange(3), torch.tensor([1, 2, 0])):
        loss = focal_loss(logits, targets, gamma)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.isfinite()
        assert gradient.isfinite().all()


@pytest.mark.parametrize(
    "values", [{"loss": "nll"}, {"loss": ""}, {"focal_gamma": -0.1}, {"focal_gamma": 11}]
)
def test_other_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        make_config(values)
