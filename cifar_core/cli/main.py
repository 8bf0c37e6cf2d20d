"""python -m cifar_core COMMAND: what a page does, a command can do."""

import argparse
import errno
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from cifar_core.cli import (
    data,
    explain,
    lr_find,
    output,
    plot,
    publish,
    report,
    runs,
    settings,
    sheets,
)
from cifar_core.cli.terminal import visible_output
from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError, JobError
from cifar_core.models import MODELS


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one sentence; exit code 2 as for every mistake of the user."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{message[0].upper()}{message[1:]}. See: {self.prog} --help\n")
        sys.exit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0, 1 if a job failed, 2 for a user's mistake."""
    for stream in (sys.stdout, sys.stderr):  # a terminal or a pipe that lacks some letters
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    with visible_output():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        code = options.do(options) or 0
        sys.stdout.flush()
        return code
    except CifarCoreError as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, JobError) else 2
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever reads has seen enough
        _drop_output()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO) or error.filename:
            raise
        _drop_output()
        print(f"The output cannot be written ({error.strerror}).", file=sys.stderr)
        return 2


def _drop_output() -> None:
    """Lets what is still to be written go nowhere, else Python reports it again at its end.

    Source: Python's documentation of SIGPIPE.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(prog="python -m cifar_core", description="Train and understand CIFAR-10.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    data.add_data(commands)
    data.add_augment(commands)
    _add_summary(commands)
    _add_train(commands)
    lr_find.add_lr_find(commands)
    explain.add_evaluate(commands)
    explain.add_explain(commands)
    sheets.add_errors(commands)
    report.add_rank(commands)
    report.add_report(commands)
    publish.add_publish(commands)
    plot.add_plot(commands)
    runs.add_runs(commands)
    return parser


def _add_summary(commands: Any) -> None:
    command = commands.add_parser("summary", help="layers, parameters and compute cost of a model")
    command.add_argument("model", help=", ".join(MODELS))
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument(
        "--format",
        choices=("table", "torchsummary"),
        default="table",
        help="torchsummary prints the text of the library of that name. Default: table.",
    )
    command.add_argument(
        "--functions",
        action="store_true",
        help="list activations and pooling that the model calls as functions between its modules",
    )
    command.set_defaults(do=_summary)


def _summary(options: argparse.Namespace) -> None:
    from cifar_core.models import create_model
    from cifar_core.models.summary import format_summary, summarize, summary_json
    from cifar_core.models.torchsummary import format_torchsummary

    summary = summarize(create_model(options.model), options.model, options.functions)
    text = format_torchsummary if options.format == "torchsummary" else format_summary
    print(json.dumps(summary_json(summary)) if options.json else text(summary))


def _add_train(commands: Any) -> None:
    command = commands.add_parser(
        "train", help="train a model; Ctrl-C stops it and saves a checkpoint"
    )
    command.set_defaults(do=_train)
    command.add_argument(
        "--name", default="", help="name of the run; default: the model and a number"
    )
    command.add_argument("--notes", default="", help="notes saved with the run")
    command.add_argument(
        "--estimate",
        action="store_true",
        help="only measure the throughput and estimate the duration",
    )
    command.add_argument("--detach", action="store_true", help="start in the background and return")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    runs.add_root(command)
    settings.add_config(command)


def _train(options: argparse.Namespace) -> int:
    from cifar_core.jobs.launch import launch_training
    from cifar_core.jobs.starting_weights import run_warning
    from cifar_core.runs.store import TrainingRun, read_run
    from cifar_core.system.paths import runs_root

    config = settings.read_config(options)
    if options.estimate:
        return _estimate(config, options.json)
    run_dir = launch_training(runs_root(options.runs), config, options.name, options.notes)
    if warning := run_warning(read_run(run_dir, TrainingRun).request):
        print(warning, file=sys.stderr)
    if options.detach:
        output.print_run(run_dir, options.json)
        return 0
    return runs.follow_training(run_dir, options.json)


def _estimate(config: TrainConfig, as_json: bool) -> int:
    from dataclasses import asdict

    from cifar_core.data import open_dataset
    from cifar_core.forecast.forecast import forecast_from
    from cifar_core.forecast.preflight import measured

    open_dataset(config.data)
    estimate = forecast_from(measured(config), config)
    text = (
        f"About {estimate.seconds / 60:.1f} min for {config.epochs} epochs of "
        f"{estimate.num_train:,} images: {estimate.train:,.0f} images/s training, "
        f"{estimate.evaluate:,.0f} images/s evaluation. "
        f"About {estimate.memory_bytes / 1e6:,.0f} MB of memory, "
        f"{estimate.disk_bytes / 1e6:,.0f} MB on disk. {estimate.verdict}"
    )
    print(json.dumps(asdict(estimate)) if as_json else text)
    return 0
