"""`train`: in the foreground, detached, interrupted, estimated, refused."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.config.train import TrainConfig
from cifar_core.models import list_models
from cifar_core.runs.states import RunState
from cifar_core.runs.store import list_runs, read_run
from tests.cli.calls import SMALL_ARGUMENTS, command, out
from tests.real_jobs import wait_for, wait_until_training
from tests.waiting import LIMIT_S, wait_until


def test_train_has_an_option_for_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    for name in TrainConfig.model_fields:
        assert f"--{name.replace('_', '-')} " in text


def test_all_models_are_listed_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ", ".join(list_models()) in text


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
