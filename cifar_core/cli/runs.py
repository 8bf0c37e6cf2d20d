"""The commands about runs: list, show, stop, resume and so on; and following a training."""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cifar_core.cli.follow import StatusLine, follow
from cifar_core.cli.output import describe, epoch_line, pace_line, print_run, print_table
from cifar_core.cli.terminal import visible
from cifar_core.errors import RunError
from cifar_core.records.records import Metrics
from cifar_core.report.commands import train_command
from cifar_core.runs.lifecycle import (
    FORCE_AFTER_S,
    delete_run,
    force_stop,
    rename_run,
    request_stop,
    stopping_s,
    what_is_deleted,
)
from cifar_core.runs.pace import run_pace
from cifar_core.runs.states import RunState, log_tail
from cifar_core.runs.store import Run, TrainingRun, find_run, list_runs, read_run, unreadable
from cifar_core.system.paths import runs_root


def add_root(command: argparse.ArgumentParser) -> None:
    """--runs, the same everywhere."""
    command.add_argument("--runs", help="folder of the runs; default CIFAR_RUNS, then checkpoints")


def add_model(command: argparse.ArgumentParser) -> None:
    """RUN and --checkpoint: which trained model."""
    command.add_argument("run", help="id or name of a training")
    command.add_argument(
        "--checkpoint", default="best", help="best, last, or a name. Default: best."
    )
    add_root(command)


def add_runs(commands: Any) -> None:
    """runs list|show|stop|resume|extend|rename|delete."""
    group = commands.add_parser("runs", help="list, stop, resume, extend, rename, delete runs")
    actions = group.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, do: Callable[[argparse.Namespace], Any], text: str) -> Any:
        command = actions.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        add_root(command)
        if name != "list":
            command.add_argument("run", help="id or name")
        return command

    for name, do in (("list", _list), ("show", _show)):
        command = action(
            name, do, f"{name} runs" if name == "list" else "show one run with all its settings"
        )
        command.add_argument("--json", action="store_true", help="print JSON")
    stop = action("stop", _stop, "stop after the current batch and save a checkpoint")
    stop.add_argument(
        "--force", action="store_true", help="kill the process if it does not stop in time"
    )
    resume = action("resume", _resume, "resume a stopped, failed or interrupted run")
    resume.add_argument("--detach", action="store_true", help="start in the background and return")
    resume.add_argument("--json", action="store_true", help="print the result as JSON")
    extend = action("extend", _extend, "train a completed run longer, as a new run")
    extend.add_argument("epochs", type=int, help="total number of epochs")
    extend.add_argument("--name", default="", help="name of the new run; default: a free name")
    extend.add_argument("--detach", action="store_true", help="start in the background and return")
    extend.add_argument("--json", action="store_true", help="print the result as JSON")
    rename = action("rename", _rename, "change name or notes")
    rename.add_argument("name", nargs="?", help="the new name")
    rename.add_argument("--notes", help="the new notes")
    delete = action("delete", _delete, "delete a run")
    delete.add_argument("--keep-curves", action="store_true", help="delete only its checkpoints")
    delete.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def _list(options: argparse.Namespace) -> None:
    runs = list_runs(runs_root(options.runs))
    for path, why in unreadable(runs_root(options.runs)):
        print(f"Skipped run {path.name}. {why}", file=sys.stderr)
    if options.json:
        print(json.dumps([describe(run) for run in runs]))
        return
    if not runs:
        print("No runs yet. Start one with: python -m cifar_core train --recipe quick")
        return
    print_table(runs)


def _show(options: argparse.Namespace) -> None:
    run = find_run(runs_root(options.runs), options.run)
    if options.json:
        print(json.dumps(describe(run)))
        return
    details = describe(run)
    config = details.pop("config") or {}
    for name, value in details.items():
        if value not in (None, "", {}):
            print(f"{name:12} {value}")
    for name, value in config.items():
        print(f"  {name:16} {value}")
    if isinstance(run, TrainingRun):
        from cifar_core.jobs.starting_weights import run_warning

        if warning := run_warning(run.request):
            print(f"\n{warning}")
        print(f"\nTrain with the same settings:\n{train_command(run.config)}")
    if run.state in (RunState.FAILED, RunState.INTERRUPTED):
        print(f"\nLast lines of its log:\n{log_tail(run.path)}")


def _stop(options: argparse.Namespace) -> None:
    run = find_run(runs_root(options.runs), options.run)
    request_stop(run)
    print(f"{run.name} is stopping: finishing the batch and saving a checkpoint.")
    while options.force and (run := read_run(run.path)).state.is_active:
        if stopping_s(run) > FORCE_AFTER_S:
            force_stop(run)
            print(f"{run.name} did not stop in time and was killed.")
            return
        time.sleep(0.2)


def _resume(options: argparse.Namespace) -> int:
    from cifar_core.jobs.launch import resume_run

    run = find_run(runs_root(options.runs), options.run, TrainingRun)
    resume_run(run)
    if options.detach:
        print_run(run.path, options.json)
        return 0
    return follow_training(run.path, options.json)


def _extend(options: argparse.Namespace) -> int:
    from cifar_core.jobs.launch import extend_run

    run = find_run(runs_root(options.runs), options.run, TrainingRun)
    run_dir = extend_run(run, options.epochs, options.name)
    if options.detach:
        print_run(run_dir, options.json)
        return 0
    return follow_training(run_dir, options.json)


def _rename(options: argparse.Namespace) -> None:
    run = find_run(runs_root(options.runs), options.run)
    rename_run(run, options.name, options.notes)
    print(f"{run.name} is now named {read_run(run.path).name}.")


def _delete(options: argparse.Namespace) -> None:
    run = find_run(runs_root(options.runs), options.run)
    what = what_is_deleted(run, options.keep_curves)
    if not options.yes:
        question = visible(f"Delete {run.name}: {what}? [y/N] ")
        answer = input(question) if sys.stdin.isatty() else ""
        if answer.strip().lower() not in ("y", "yes"):
            raise RunError("Nothing was deleted. Add --yes to delete without being asked.")
    delete_run(run, options.keep_curves)
    print(f"Deleted: {run.name}, {what}.")


def follow_training(run_dir: Path, as_json: bool) -> int:
    """Shows a training until it ends; returns the exit code."""
    shown = 0

    def tell(run: Run, metrics: Metrics) -> StatusLine:
        nonlocal shown
        lines = [epoch_line(epoch) for epoch in metrics.epochs[shown:]]
        shown = len(metrics.epochs)
        if not isinstance(run, TrainingRun):
            return StatusLine(0.0, str(run.state), lines)
        pace = run_pace(run, metrics)
        return StatusLine(pace.share, f"{run.name} {run.state}{pace_line(run, pace)}", lines)

    run, _ = follow(run_dir, tell, "finishing the batch and saving a checkpoint")
    print_run(run_dir, as_json)
    return 1 if run.state in (RunState.FAILED, RunState.INTERRUPTED) else 0
