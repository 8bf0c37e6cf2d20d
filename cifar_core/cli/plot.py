"""The command that draws curves: of one training or several, or of an LR test."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.cli.out_file import check_out, write_out
from cifar_core.cli.runs import add_root
from cifar_core.errors import ConfigError, RunError
from cifar_core.records import layout
from cifar_core.records.records import read_metrics
from cifar_core.runs.store import LRTestRun, Run, TrainingRun, find_run
from cifar_core.system.paths import runs_root

if TYPE_CHECKING:
    import plotly.graph_objects as go

COMPARED = "Solid: validation. Dashed: test. Dotted: train."
AXES = ("epoch", "step", "time")


def add_plot(commands: Any) -> None:
    """plot."""
    text = "write the curves of a training, of several, or of an LR test to a PNG"
    command = commands.add_parser("plot", help=text, description=text)
    command.set_defaults(do=_plot)
    command.add_argument(
        "run", nargs="+", help="id or name of a training; of several to compare them; or an LR test"
    )
    add_root(command)
    command.add_argument(
        "--axis", choices=AXES, default="epoch", help="x axis of a training. Default: epoch."
    )
    command.add_argument(
        "--smoothing",
        type=float,
        default=0.0,
        help="of the training curve per step, 0 to 0.99. Default: 0.",
    )
    command.add_argument(
        "--references", action="store_true", help="draw published accuracies on CIFAR-10"
    )
    command.add_argument("--out", type=Path, required=True, help="the PNG to write")


def _plot(options: argparse.Namespace) -> None:
    from cifar_core.plots.png import as_png

    if not 0 <= options.smoothing <= 0.99:
        raise ConfigError(f"--smoothing {options.smoothing:g} is not accepted; give 0 to 0.99.")
    check_out("--out", options.out, ".png")
    root = runs_root(options.runs)
    runs = [find_run(root, name) for name in dict.fromkeys(options.run)]
    if len(runs) == 1 and isinstance(runs[0], LRTestRun):
        figures = _lr_test(runs[0])
    else:
        figures = _curves([_training(run) for run in runs], options)
    heading = runs[0].name if len(runs) == 1 else COMPARED
    write_out("--out", options.out, as_png(figures, heading))
    print(f"Wrote {options.out}.")


def _training(run: Run) -> TrainingRun:
    if not isinstance(run, TrainingRun):
        raise RunError(
            f"{run.name} is not a training. Give one training or several, or a single LR test."
        )
    return run


def _curves(runs: list[TrainingRun], options: argparse.Namespace) -> "dict[str, go.Figure]":
    """Loss and accuracy; of a single run also the learning rate."""
    from cifar_core import plots

    view = plots.View(options.axis, options.smoothing, options.references)
    drawn = [plots.run_curve(run, read_metrics(run.path / layout.METRICS)) for run in runs]
    for curve in drawn:
        if not curve.metrics.epochs and not (len(drawn) == 1 and curve.metrics.steps):
            raise RunError(f"{curve.name} has no finished epoch yet. Try again later.")
    figures = {
        "Loss (nats)": plots.curves(drawn, "loss", view),
        "Accuracy": plots.curves(drawn, "acc", view),
    }
    if len(drawn) == 1 and drawn[0].metrics.steps:
        figures["Learning rate"] = plots.learning_rates(drawn[0].metrics)
    return figures


def _lr_test(run: LRTestRun) -> "dict[str, go.Figure]":
    """The curve of an LR test with its suggestions."""
    from cifar_core import plots
    from cifar_core.lr_finder.curve import curve_of
    from cifar_core.lr_finder.suggest import suggest_all

    points, find = read_metrics(run.path / layout.METRICS).points, run.lr_test
    if not points:
        raise RunError(f"{run.name} has no steps yet. Try again later.")
    curve = curve_of(points, running=run.state.is_active)
    suggestions = () if run.state.is_active else suggest_all(curve, find.diverge_factor)
    lr_range = (find.start_lr, find.end_lr)
    return {"Loss (nats)": plots.lr_test(points, curve, suggestions, lr_range)}
