"""The text of torchsummary, line by line, for the tables of the reference systems."""

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from cifar_core.cli.main import main
from cifar_core.models import create_model
from cifar_core.models.summary import summarize
from cifar_core.models.torchsummary import format_torchsummary

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "reference_models.json").read_text()
)
# What torchsummary 1.5.1 printed of these two rows, copied from a published table.
HEAD = """\
----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Conv2d-1           [-1, 64, 32, 32]           1,728
       BatchNorm2d-2           [-1, 64, 32, 32]             128
"""
TAIL = """\
       BasicBlock-48            [-1, 512, 4, 4]               0
           Linear-49                   [-1, 10]           5,130
================================================================
Total params: 11,173,962
Trainable params: 11,173,962
Non-trainable params: 0
----------------------------------------------------------------
Input size (MB): 0.01
Forward/backward pass size (MB): 11.25
Params size (MB): 42.63
Estimated Total Size (MB): 53.89
----------------------------------------------------------------
"""


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["summary", *words, "--format", "torchsummary"]) == 0
    return capsys.readouterr().out


def test_first_and_last_lines_are_those_of_a_published_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, "resnet18")
    assert text.startswith(HEAD)
    assert text.endswith(TAIL)


@pytest.mark.parametrize(
    ("words", "table"),
    [
        (["resnet18"], "resnet18_functional"),
        (["resnet18", "--functions"], "resnet18_modules"),
        (["sepnet_v1"], "sepnet_v1"),
        (["sepnet_v2"], "sepnet_v2"),
    ],
)
def test_every_line_is_that_of_the_reference_table(
    words: list[str], table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = REFERENCE[table]
    expected = [
        " ".join(
            (
                f"{row['type']}-{n}".rjust(20),
                str([-1, *row["output_shape"]]).rjust(26),
                f"{row['params']:,}".rjust(15),
            )
        )
        for n, row in enumerate(reference["layers"], start=1)
    ]
    lines = printed(capsys, *words).splitlines()
    assert lines[3 : 3 + len(expected)] == expected
    total = reference["total_params"]
    assert lines[3 + len(expected) :] == [
        "=" * 64,
        f"Total params: {total:,}",
        f"Trainable params: {total:,}",
        "Non-trainable params: 0",
        "-" * 64,
        f"Input size (MB): {reference['input_mb']:.2f}",
        f"Forward/backward pass size (MB): {reference['forward_backward_mb']:.2f}",
        f"Params size (MB): {reference['params_mb']:.2f}",
        f"Estimated Total Size (MB): {reference['total_mb']:.2f}",
        "-" * 64,
    ]


def test_frozen_parameters_are_non_trainable() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 2, 3).requires_grad_(False), nn.Flatten(), nn.Linear(1800, 2)
    )
    lines = format_torchsummary(summarize(model)).splitlines()
    assert lines[3].split() == ["Conv2d-1", "[-1,", "2,", "30,", "30]", "56"]
    assert "Total params: 3,658" in lines
    assert "Trainable params: 3,602" in lines
    assert "Non-trainable params: 56" in lines


def test_functions_between_modules_are_listed_where_they_run() -> None:
    plain, listed = (summarize(create_model("speednet"), functions=f) for f in (False, True))
    functions = [row for row in listed.rows if not row.name]
    assert [row for row in listed.rows if row.name] == list(plain.rows)
    assert [(row.type, row.output_shape) for row in functions] == [
        ("GELU", (24, 31, 31)),
        ("MaxPool2d", (256, 1, 1)),
    ]
    assert listed.rows[1] == functions[0]
    assert listed.rows[-2] == functions[1]
    assert (listed.macs, listed.total_params) == (plain.macs, plain.total_params)


@pytest.mark.parametrize("words", [["--format", "keras"], ["--format", "torchsummary", "--json"]])
def test_other_formats_and_json_besides_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["summary", "convnet", *words])
    assert exit_info.value.code == 2
    assert "--help" in capsys.readouterr().err
