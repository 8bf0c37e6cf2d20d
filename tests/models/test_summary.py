"""The layer tables: those of the reference systems, figures of the cards, text and JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cifar_core.models import MODELS, create_model, list_models
from cifar_core.models.sepnet import SepNetV1
from cifar_core.models.summary import format_summary, summarize, summary_json

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "reference_models.json").read_text()
)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("resnet18", "resnet18_functional"),
        ("sepnet_v1", "sepnet_v1"),
        ("sepnet_v2", "sepnet_v2"),
    ],
)
def test_summary_equals_reference_table(name: str, table: str):
    reference = REFERENCE[table]
    summary = summarize(create_model(name))
    expected = [
        (row["type"], tuple(row["output_shape"]), row["params"]) for row in reference["layers"]
    ]
    assert [(row.type, row.output_shape, row.params) for row in summary.rows] == expected
    assert summary.total_params == reference["total_params"]
    for size in ("input_mb", "forward_backward_mb", "params_mb", "total_mb"):
        assert round(getattr(summary, size), 2) == reference[size], size


@pytest.mark.parametrize("name", ["sepnet_v1", "sepnet_v2"])
def test_convolutions_are_set_as_in_reference(name: str):
    def settings(conv: nn.Conv2d) -> dict[str, object]:
        return {
            "in_channels": conv.in_channels,
            "kernel": conv.kernel_size[0],
            "stride": conv.stride[0],
            "padding": conv.padding[0],
            "dilation": conv.dilation[0],
            "groups": conv.groups,
            "bias": conv.bias is not None,
        }

    modules = dict(create_model(name).named_modules())
    rows = summarize(create_model(name)).rows
    for row, expected in zip(rows, REFERENCE[name]["layers"], strict=True):
        module = modules[row.name]
        if isinstance(module, nn.Conv2d):
            assert settings(module).items() <= expected.items(), row.name
        if isinstance(module, nn.AvgPool2d):
            assert module.kernel_size == expected["kernel"]


def test_macs_are_counted_per_output():
    rows = {row.name: row for row in summarize(create_model("sepnet_v1")).rows}
    assert rows["layer1.0"].macs == 32 * 32 * 20 * 3 * 9
    assert rows["layer2.3"].macs == 16 * 16 * 128 * (128 // 64) * 9
    assert rows["layer1.1"].macs == 0
    assert {row.name: row.macs for row in summarize(create_model("convnet")).rows}["fc"] == 1280


def test_summary_leaves_the_model_as_it_was():
    model = SepNetV1().train()
    model.layer2.eval()
    flags = [module.training for module in model.modules()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    summarize(model)
    assert [module.training for module in model.modules()] == flags
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(not module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_summary_as_text_is_aligned_and_totalled():
    lines = format_summary(summarize(create_model("resnet18"), "resnet18")).splitlines()
    assert lines[0] == "resnet18"
    assert lines[2].split() == ["Layer", "Type", "Output", "shape", "Params", "MMAC"]
    row = next(line for line in lines if line.startswith("layer4.1.conv2"))
    assert " ".join(row.split()) == "layer4.1.conv2 Conv2d 512 × 4 × 4 2,359,296 37.749"
    assert len(row) == len(lines[2])
    assert "Parameters: 11,173,962 (11,173,962 trainable)" in lines
    assert lines[-1] == "Total: 53.89 MB"


def test_summary_goes_through_json():
    summary = summarize(create_model("speednet"), "speednet")
    plain = json.loads(json.dumps(summary_json(summary)))
    assert plain["name"] == "speednet"
    assert plain["total_params"] - plain["trainable_params"] == 12 * 24 + 2 * (64 + 256 + 256)
    assert plain["rows"][0]["output_shape"] == [24, 31, 31]


@pytest.mark.parametrize("name", list_models())
def test_card_states_measured_size(name: str):
    summary = summarize(create_model(name))
    params = summary.total_params
    size = f"{params / 1e6:.2f} M" if params >= 1e6 else f"{params / 1e3:.0f} k"
    assert f"; {size} parameters, {summary.macs / 1e6:,.1f} MMAC per image." in MODELS[name].about
