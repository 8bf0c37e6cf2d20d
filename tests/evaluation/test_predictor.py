"""Figures of an evaluation, by hand; which model and which images they are of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cifar_core.data import Dataset
from cifar_core.data.dataset import histogram_of
from cifar_core.evaluation.predictions import EvalSplit
from cifar_core.evaluation.predictor import predict_split
from cifar_core.explain.maps import inputs
from cifar_core.models import create_model
from cifar_core.records.records import EvalProgress
from cifar_core.system.runtime import choose_runtime
from cifar_core.training.checkpointing import save_checkpoint
from cifar_core.training.engine import train
from cifar_core.training.inference import Score, log_probabilities, score
from tests.builders import config_of, epochs_of, set_up, single_thread, trained
from tests.made_up_data import made_up

one_thread = pytest.fixture(single_thread, autouse=True)


def judged_by_hand(
    model: nn.Module, images: np.ndarray, labels: np.ndarray, data: Dataset
) -> Score:
    """Loss and accuracy image by image, from the definition."""
    model.eval()
    losses, rights = [], 0
    pixels = (images / 255 - data.mean) / data.std
    with torch.no_grad():
        for image, label in zip(pixels, labels, strict=True):
            logits = model(torch.tensor(image, dtype=torch.float32).permute(2, 0, 1)[None])[0]
            losses.append((logits.exp().sum().log() - logits[label]).item())
            rights += int(logits.argmax()) == label
    model.train()
    return Score(sum(losses) / len(losses), rights / len(losses))


def test_val_and_test_figures_equal_an_evaluation_by_hand(tiny: Dataset) -> None:
    config = config_of(model="sepnet_v1", optimizer="adamw", lr=0.005, epochs=2)
    state, batches = set_up(config, tiny)
    record = epochs_of(list(train(config, tiny, state, batches)))[-1]
    held_out = np.setdiff1d(np.arange(64), batches.indices)
    assert len(held_out) == 14
    val = judged_by_hand(
        state.model, tiny.train.images[held_out], tiny.train.labels[held_out], tiny
    )
    test = judged_by_hand(state.model, tiny.test.images, tiny.test.labels, tiny)
    assert (record.val_loss, record.test_loss) == pytest.approx((val.loss, test.loss), rel=1e-5)
    assert (record.val_acc, record.test_acc) == pytest.approx((val.acc, test.acc), abs=1e-6)


def test_test_images_are_normalized_separately_in_training_evaluation_and_maps(
    tmp_path: Path,
) -> None:
    """The test images are much darker, so that other statistics would be noticed."""
    bright = made_up(64, 30)
    images = (bright.test.images // 4).astype(np.uint8)
    data = replace(bright, test=replace(bright.test, images=images, histogram=histogram_of(images)))
    config = config_of(model="convnet", epochs=1, normalization="separate", precision="fp32")
    state, batches = set_up(config, data)
    list(train(config, data, state, batches))
    saved = save_checkpoint(tmp_path, "best", state, "convnet", data, None, "separate")
    pixels = images.reshape(-1, 3) / 255
    normalized = (images / 255 - pixels.mean(axis=0)) / pixels.std(axis=0)
    inputs_by_hand = torch.tensor(normalized, dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        by_hand = state.eval_model.eval()(inputs_by_hand).log_softmax(dim=1).numpy()
    for split, close in (("test", True), ("train", False)):
        examples = EvalSplit(split, data.classes, "f", images, data.test.labels, np.arange(30))
        evaluated = np.empty((30, 10), np.float32)
        list(predict_split(saved, config, examples, evaluated))
        assert np.allclose(evaluated, by_hand, atol=1e-4) == close
        asked = saved.for_split(split)
        assert np.allclose(inputs(asked, images), inputs_by_hand, atol=1e-4) == close
    assert state.test_log_probs is not None
    assert np.allclose(state.test_log_probs, by_hand, atol=1e-4)


def test_score_equals_the_hand_figures() -> None:
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.3, 0.6, 0.1]])
    found = score(probabilities.log(), torch.tensor([0, 2, 2], dtype=torch.uint8))
    assert found.loss == pytest.approx(-np.log(0.5 * 0.8 * 0.1) / 3, rel=1e-6)
    assert found.acc == pytest.approx(2 / 3)


def test_log_probabilities_come_in_order_and_do_not_depend_on_the_batch(tiny: Dataset) -> None:
    model, runtime = create_model("convnet").train(), choose_runtime("cpu", "fp32", "contiguous")
    mean, std = torch.tensor(tiny.mean).float(), torch.tensor(tiny.std).float()
    images = torch.tensor(tiny.test.images)
    whole = torch.cat(list(log_probabilities(model, images, mean, std, runtime)))
    parts = list(log_probabilities(model, images, mean, std, runtime, batch_size=7))
    assert [len(part) for part in parts] == [7, 7, 7, 7, 2]
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(whole.exp().sum(1), torch.ones(30))
    assert whole.dtype == torch.float32
    assert model.training


def test_without_held_out_images_validation_is_none(tiny: Dataset) -> None:
    records = list(train(config_of(val_size=0, epochs=1), tiny))
    record = epochs_of(records)[-1]
    assert (record.val_loss, record.val_acc) == (None, None)
    assert record.step == 4
    assert 0 <= record.test_acc <= 1
    assert {r.split for r in records if isinstance(r, EvalProgress)} == {"test"}


def test_the_averaged_model_is_the_one_evaluated(tiny: Dataset) -> None:
    config = config_of(ema=0.95, schedule="constant", lr=0.2, epochs=2)
    state, records = trained(config, tiny)
    record = epochs_of(records)[-1]
    assert state.ema_model is not None
    assert state.eval_model is state.ema_model
    averaged = judged_by_hand(state.ema_model, tiny.test.images, tiny.test.labels, tiny)
    live = judged_by_hand(state.model, tiny.test.images, tiny.test.labels, tiny)
    assert record.test_loss == pytest.approx(averaged.loss, rel=1e-5)
    assert abs(live.loss - averaged.loss) > 1e-3
    assert not any(p.requires_grad for p in state.ema_model.parameters())


def test_evaluation_reports_how_far_it_is() -> None:
    data = made_up(64, 1030)
    _, records = trained(config_of(epochs=1), data)
    told = [(r.split, r.done, r.total) for r in records if isinstance(r, EvalProgress)]
    assert told == [
        ("val", 14, 14),
        ("test", 500, 1030),
        ("test", 1000, 1030),
        ("test", 1030, 1030),
    ]
