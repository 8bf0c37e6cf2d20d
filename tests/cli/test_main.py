"""The command line: every command explains itself; a mistake gets one sentence and exit code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from tests.cli.calls import command, out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["data"],
        ["data", "stats"],
        ["data", "prepare"],
        ["data", "download"],
        ["augment"],
        ["data", "sheet"],
        ["summary"],
        ["plot"],
        ["errors"],
        ["train"],
        ["runs"],
        *(["runs", action] for action in ("list", "show", "stop", "rename", "delete")),
    ],
    ids=" ".join,
)
def test_every_command_explains_itself(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main([*words, "--help"])
    assert exit_info.value.code == 0
    assert "usage: python -m cifar_core" in capsys.readouterr().out


def test_summary_prints_the_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert "180,978" in out(capsys, "summary", "sepnet_v1")
    assert json.loads(out(capsys, "summary", "sepnet_v1", "--json"))["total_params"] == 180_978


def test_data_stats_of_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    stats = json.loads(out(capsys, "data", "stats", "--data", "shapes10", "--json"))
    assert stats["title"] == "Shapes-10"
    assert sum(stats["counts"]["train"]) == 20_000
    assert len(stats["all"]["mean"]) == 3


MISTAKES = [
    (["summary", "resnet19"], ["resnet19", "convnet"]),
    (["train", "--model", "resnet19"], ["resnet19", "convnet"]),
    (["train", "--batch-size", "0"], ["batch_size", "'0'", "from 2 to 8,192"]),
    (["train", "--batch-size", "many"], ["batch_size", "many", "whole number"]),
    (["train", "--epochs", "-3"], ["epochs", "-3", "from 1 to 2,000"]),
    (["train", "--lr", "0"], ["lr", "above 0"]),
    (["train", "--lr", "nan"], ["lr", "nan"]),
    (["train", "--optimizer", "lion"], ["lion", "sgd, adamw"]),
    (["train", "--device", "tpu"], ["tpu", "cuda:N"]),
    (["train", "--device", "cuda:7", "--data", "shapes10"], ["cuda:7", "not found"]),
    (["train", "--augment", "wild"], ["wild", "standard"]),
    (["train", "--augment", '{"operations": [{"name": "Twirl"}]}'], ["Twirl", "PadCrop"]),
    (["train", "--recipe", "secret"], ["secret", "quick"]),
    (["train", "--config", "missing.json"], ["missing.json"]),
    (["train", "--data", "nowhere"], ["nowhere", "is no copy of CIFAR-10"]),
    (["train"], ["CIFAR-10 not found", "data download", "shapes10"]),
    (["train", "--data", "shapes10", "--val-size", "20000"], ["val_size", "19,999"]),
    (["train", "--data", "shapes10", "--train-size", "20000"], ["train_size", "15,000"]),
    (
        ["train", "--data", "shapes10", "--train-size", "100", "--batch-size", "128"],
        ["batch_size", "100 training images"],
    ),
    (["train", "--data", "shapes10", "--name", "a/b"], ["a/b", "no slashes"]),
    (["train", "--data", "shapes10", "--name", ".."], ["'..'"]),
    (["runs", "show", "nobody"], ["nobody"]),
    (["runs", "stop", "nobody"], ["nobody"]),
    (["data", "stats", "--data", "nowhere"], ["nowhere"]),
    (["data", "download", "--origin", "moon"], ["moon", "archive"]),
    (
        ["augment", "standard", "--samples", "0", "--data", "shapes10", "--out", "x.png"],
        ["--samples"],
    ),
]


@pytest.mark.parametrize(("words", "told"), MISTAKES, ids=lambda v: " ".join(v)[:50])
def test_a_mistake_gets_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], runs: Path, words: list[str], told: list[str]
) -> None:
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    for text in told:
        assert text in printed.err
    assert not list(runs.glob("*/request.json"))


def test_an_unknown_option_is_told_without_the_whole_usage() -> None:
    done = subprocess.run(
        command("train", "--speed", "9"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--speed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_closed_pipe_is_no_traceback() -> None:
    shell = f"{sys.executable} -m cifar_core summary resnet34 | head -1"
    done = subprocess.run(
        shell, shell=True, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert "Traceback" not in done.stderr
