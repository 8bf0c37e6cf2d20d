"""The last layer in float32: no ties by rounding, and in training nothing changes."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from cifar_core.models import create_model, head, list_models
from cifar_core.models.convnet import ConvNet
from cifar_core.system.runtime import choose_runtime
from cifar_core.training.inference import log_probabilities
from tests.builders import single_thread, smooth_noise, trained_model

one_thread = pytest.fixture(single_thread, autouse=True)


@pytest.mark.parametrize("name", list_models())
def test_every_model_ends_in_one(name: str) -> None:
    last = [m for m in create_model(name).modules() if isinstance(m, head.Linear | head.Conv2d)]
    assert len(last) == 1
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert create_model(name).eval()(smooth_noise(1)).dtype == torch.float32


@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_evaluating_is_float32_and_training_is_torchs_own(kind: str) -> None:
    if kind == "linear":
        ours, theirs, inputs = head.Linear(64, 10), nn.Linear(64, 10), torch.randn(8, 64)
    else:
        ours, theirs = head.Conv2d(64, 10, 3), nn.Conv2d(64, 10, 3)
        inputs = torch.randn(8, 64, 5, 5)
    theirs.load_state_dict(ours.state_dict())
    rough = inputs.bfloat16()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ours.train()(rough), theirs(rough))
        evaluated = ours.eval()(rough)
    assert torch.equal(evaluated, theirs(rough.float()))
    assert not torch.equal(evaluated, theirs.bfloat16()(rough).float())


def test_no_prediction_is_a_tie() -> None:
    """Logits of a model that is unsure, which bfloat16 rounds to the same number."""
    model = trained_model("convnet")
    pixels = (64 * smooth_noise(200) + 128).clamp(0, 255).byte().permute(0, 2, 3, 1)
    assert isinstance(model, ConvNet)
    with torch.no_grad():
        model.fc.weight.mul_(0.02)
    runtime = replace(choose_runtime("cpu", "fp32", "contiguous"), precision="bf16")
    mean, std = torch.full((3,), 0.5), torch.full((3,), 0.25)
    (log_probs,) = log_probabilities(model, pixels, mean, std, runtime)
    first, second = log_probs.topk(2).values.T
    assert (first > second).all()
    first, second = log_probs.bfloat16().topk(2).values.T
    assert (first == second).sum() > 10
