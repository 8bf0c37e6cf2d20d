"""The command line: results on the output, one sentence and exit code 2 for mistakes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cifar_core.augment import PRESETS
from cifar_core.cli.main import build_parser, main
from cifar_core.cli.settings import read_config
from cifar_core.config.train import TrainConfig
from cifar_core.models import list_models
from cifar_core.report.commands import train_command
from cifar_core.runs.states import RunState
from cifar_core.runs.store import TrainingRun, list_runs, read_run
from tests.real_jobs import SMALL, held, pretend_running, wait_for, wait_until_training
from tests.waiting import LIMIT_S, wait_until

SMALL_ARGUMENTS = [
    word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", str(value))
]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cifar_core", *arguments]


def out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


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


def test_train_has_an_option_for_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    for name in TrainConfig.model_fields:
        assert f"--{name.replace('_', '-')} " in text


def test_summary_prints_the_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert "180,978" in out(capsys, "summary", "sepnet_v1")
    assert json.loads(out(capsys, "summary", "sepnet_v1", "--json"))["total_params"] == 180_978


def test_augment_lists_shows_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "s9_sepnet" in out(capsys, "augment")
    spec = json.loads(out(capsys, "augment", "standard", "--json"))
    assert [op["name"] for op in spec["operations"]] == ["PadCrop", "HorizontalFlip"]
    sheet = tmp_path / "sheet.png"
    out(capsys, "augment", "s9_sepnet", "--data", "shapes10", "--out", str(sheet))
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_data_stats_of_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    stats = json.loads(out(capsys, "data", "stats", "--data", "shapes10", "--json"))
    assert stats["title"] == "Shapes-10"
    assert sum(stats["counts"]["train"]) == 20_000
    assert len(stats["all"]["mean"]) == 3


def test_train_in_the_foreground_prints_epochs_and_the_result(
    capsys: pytest.CaptureFixture[str], runs: Path
) -> None:
    assert main(["train", *SMALL_ARGUMENTS, "--name", "foreground"]) == 0
    printed = capsys.readouterr()
    assert "foreground" in printed.out
    assert "completed" in printed.out
    assert printed.err.count("epoch ") == 2
    (run,) = list_runs(runs)
    assert run.name == "foreground"


def test_ctrl_c_stops_the_run_in_order(runs: Path) -> None:
    with subprocess.Popen(
        command("train", *SMALL_ARGUMENTS, "--epochs", "2000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        found = wait_until(lambda: list_runs(runs))
        wait_until_training(found[0].path)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    assert "stopped" in output
    assert "Traceback" not in errors
    assert read_run(found[0].path).state is RunState.STOPPED


def test_a_detached_run_outlives_its_command(runs: Path) -> None:
    done = subprocess.run(
        command("train", *SMALL_ARGUMENTS, "--detach", "--json"),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    run_dir = Path(json.loads(done.stdout)["folder"])
    assert wait_for(run_dir, RunState.COMPLETED).run_id == run_dir.name


def test_an_estimate_starts_nothing(capsys: pytest.CaptureFixture[str], runs: Path) -> None:
    figures = json.loads(out(capsys, "train", *SMALL_ARGUMENTS, "--estimate", "--json"))
    assert figures["seconds"] > 0
    assert not runs.exists()


def test_runs_list_show_rename_and_delete(capsys: pytest.CaptureFixture[str], copied: Path) -> None:
    assert "first" in out(capsys, "runs", "list")
    (described,) = json.loads(out(capsys, "runs", "list", "--json"))
    assert described["state"] == "completed"
    shown = out(capsys, "runs", "show", "first")
    assert "convnet" in shown
    assert train_command(read_run(copied, TrainingRun).config) in shown
    assert json.loads(out(capsys, "runs", "show", copied.name, "--json"))["name"] == "first"
    out(capsys, "runs", "rename", "first", "second", "--notes", "better")
    assert (read_run(copied).name, read_run(copied).notes) == ("second", "better")
    assert main(["runs", "delete", "second"]) == 2
    assert "Nothing was deleted" in capsys.readouterr().err
    out(capsys, "runs", "delete", "second", "--keep-curves", "--yes")
    assert (copied / "metrics.jsonl").is_file()
    assert not list(copied.glob("last-*"))
    out(capsys, "runs", "delete", "second", "--yes")
    assert not copied.exists()
    assert "No runs yet" in out(capsys, "runs", "list")


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


def test_two_runs_of_one_name_are_refused(capsys: pytest.CaptureFixture[str], copied: Path) -> None:
    assert main(["train", *SMALL_ARGUMENTS, "--name", "first"]) == 2
    assert "already a run named 'first'" in capsys.readouterr().err
    assert len(list(copied.parent.glob("*/request.json"))) == 1


def test_a_folder_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = str(tmp_path / "file" / "runs")
    assert main(["train", *SMALL_ARGUMENTS, "--runs", blocked]) == 2
    printed = capsys.readouterr().err
    assert blocked in printed
    assert "--runs" in printed


def test_a_running_run_is_not_deleted(capsys: pytest.CaptureFixture[str], copied: Path) -> None:
    pretend_running(copied)
    with held(copied, "running"):
        assert main(["runs", "delete", "first", "--yes"]) == 2
        assert "Stop it before" in capsys.readouterr().err
    assert copied.exists()


def test_a_closed_pipe_is_no_traceback() -> None:
    shell = f"{sys.executable} -m cifar_core summary resnet34 | head -1"
    done = subprocess.run(
        shell, shell=True, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert "Traceback" not in done.stderr


def test_all_models_are_listed_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ", ".join(list_models()) in text


@pytest.mark.parametrize("kind", ["json", "yaml", "yml"])
@pytest.mark.parametrize("name", ["s9_sepnet", "s8_resnet18"])
def test_every_command_reads_the_spec_that_one_wrote(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str, name: str
) -> None:
    file, words = tmp_path / f"spec.{kind}", ("--data", "shapes10")
    out(capsys, "augment", name, *words, "--export", str(file))
    digest = PRESETS[name].digest
    assert f"hash  {digest[:12]}\n" in out(capsys, "augment", str(file), *words)
    for command in ("train", "lr-find"):
        options = build_parser().parse_args([command, *words, "--augment", str(file)])
        assert read_config(options).augment.digest == digest, command
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"data": "shapes10", "augment": str(file)}))
    options = build_parser().parse_args(["train", "--config", str(settings)])
    assert read_config(options).augment.digest == digest


def test_augment_reads_what_it_printed_and_says_what_it_leaves_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "spec.json"
    file.write_text(out(capsys, "augment", "strong", "--json"))
    assert PRESETS["strong"].digest[:12] in out(capsys, "augment", str(file))
    flip, normalize = ({"__class_fullname__": n, "p": 1} for n in ("HorizontalFlip", "Normalize"))
    steps = {"__class_fullname__": "Compose", "p": 1, "transforms": [flip, normalize]}
    file.write_text(json.dumps({"transform": steps}))
    assert main(["augment", str(file)]) == 0
    assert "Left out: Normalize; " in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["json", "yaml", "py"])
def test_a_spec_leaves_in_albumentations_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"spec.{kind}"
    words = ["augment", "strong", "--data", "shapes10", "--export", str(file)]
    assert main(words) == 0
    assert "Not included: normalization, CutMix" in capsys.readouterr().err
    assert "ColorJitter" in file.read_text(encoding="utf-8")
    assert main([*words[:-1], str(tmp_path / "spec.txt")]) == 2
    assert "has to end in .json or .yaml or .yml or .py" in capsys.readouterr().err
