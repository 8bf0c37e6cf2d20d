"""The commands that find a learning rate, and that say what a model gets wrong and why."""

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar_core.cli.follow import follow_stages
from cifar_core.cli.out_file import check_out, write_out
from cifar_core.cli.runs import add_model
from cifar_core.errors import ConfigError
from cifar_core.runs.store import Run, TrainingRun, find_run
from cifar_core.system.paths import runs_root

if TYPE_CHECKING:
    from cifar_core.evaluation.predictions import Predictions


def add_evaluate(commands: Any) -> None:
    """evaluate."""
    text = "accuracy, per-class accuracy and the most confused classes of a trained model"
    command = commands.add_parser("evaluate", help=text, description=text)
    command.set_defaults(do=_evaluate)
    add_subject(command)
    command.add_argument("--again", action="store_true", help="even if the predictions are there")
    command.add_argument("--json", action="store_true", help="print JSON, with the whole matrix")


def add_subject(command: argparse.ArgumentParser) -> None:
    """Which predictions: the model, the split, TTA."""
    add_model(command)
    command.add_argument("--split", default="test", help="test, val or train. Default: test.")
    command.add_argument(
        "--flip",
        action="store_true",
        help="TTA (flip): average the logits of each image and its mirror image",
    )


def evaluated(options: argparse.Namespace, again: bool = False) -> tuple[Run, "Predictions"]:
    """The run and the predictions of a command line; evaluates first where none are there yet.

    Raises:
        CifarCoreError: if run, checkpoint or split are not there, or the evaluation failed.
    """
    from cifar_core.checkpoints.checkpoint import find_checkpoint
    from cifar_core.evaluation.available import available_file, load_predictions
    from cifar_core.jobs.launch_analysis import launch_evaluation

    root = runs_root(options.runs)
    run = find_run(root, options.run, TrainingRun)
    checkpoint = find_checkpoint(run.path, options.checkpoint)
    which = checkpoint.name, options.split, options.flip
    if again or not available_file(run, checkpoint, options.split, options.flip):
        follow_stages(launch_evaluation(root, run, *which))
    return run, load_predictions(run, *which)


def _evaluate(options: argparse.Namespace) -> None:
    from cifar_core.evaluation.metrics import most_confused, per_class_accuracy

    run, predictions = evaluated(options, options.again)
    classes, accs = predictions.examples.classes, per_class_accuracy(predictions.matrix)
    pairs = [(classes[t], classes[p], n) for t, p, n in most_confused(predictions.matrix, 5)]
    if options.json:
        figures = {
            "acc": predictions.acc,
            "loss": float(predictions.losses.mean()),
            "num_images": len(predictions.predicted),
        }
        per_class = {
            name: None if math.isnan(acc) else acc
            for name, acc in zip(classes, accs.tolist(), strict=True)
        }
        of = asdict(predictions.note) | {"run": run.name, "run_id": run.run_id}
        del of["format"], of["sha256"]
        result = {**of, **figures, "per_class_accuracy": per_class, "confused": pairs}
        print(json.dumps({**result, "matrix": predictions.matrix.tolist()}))
        return
    print(f"{run.name}: {predictions.acc:.2%} of {predictions}")
    for name, acc in zip(classes, accs, strict=True):
        print(f"  {name:12} {'no images' if math.isnan(acc) else f'{acc:7.2%}'}")
    if pairs:
        print("Most confused, true -> predicted:")
    for true, predicted, count in pairs:
        print(f"  {true} -> {predicted}: {count:,}")


def add_explain(commands: Any) -> None:
    """explain."""
    from cifar_core.explain.methods import METHODS

    text = "write Grad-CAM maps of a model to a PNG"
    command = commands.add_parser("explain", help=text, description=text)
    command.set_defaults(do=_explain)
    add_subject(command)
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "--worst", type=int, metavar="N", help="the N most confident errors. Default: 10."
    )
    which.add_argument("--images", type=int, nargs="+", metavar="INDEX", help="image indices")
    which.add_argument("--file", type=Path, help="your own PNG or JPEG")
    command.add_argument(
        "--layer", help="Default: the last block or convolution whose sides are larger than 7."
    )
    command.add_argument("--method", default="GradCAM", help=f"One of: {', '.join(METHODS)}.")
    command.add_argument(
        "--target",
        default="predicted",
        help="predicted, true, difference (predicted, not true), or a class. Default: predicted.",
    )
    command.add_argument(
        "--opacity", type=float, default=70, help="opacity of the map in %%. Default: 70."
    )
    command.add_argument("--out", type=Path, required=True, help="the PNG to write")
    command.set_defaults(split=None)  # to tell whether it is given: with --file it has no meaning


def _explain(options: argparse.Namespace) -> None:
    from cifar_core.explain.maps import CamRequest, draw_own, draw_rows

    _check_explain(options)
    options.split = options.split or "test"
    check_out("--out", options.out, ".png")
    request = CamRequest(options.layer, options.method, options.target, options.opacity / 100)
    if options.file:
        run = find_run(runs_root(options.runs), options.run, TrainingRun)
        content = draw_own(run, options.checkpoint, _read(options.file), request)
    else:
        run, predictions = evaluated(options)
        content = draw_rows(run.name, predictions, _rows(predictions, options), request)
    write_out("--out", options.out, content)
    print(f"Wrote {options.out}.")


_WITHOUT_FILE = {
    "--split": "chooses among the images of the data set; --file is none of them.",
    "--flip": "averages stored predictions; --file is predicted without it.",
}


def _check_explain(options: argparse.Namespace) -> None:
    """Refuses what can be known before anything is evaluated."""
    from cifar_core.explain.maps import MAX_IMAGES
    from cifar_core.explain.methods import METHODS

    given = {"--split": options.split is not None, "--flip": options.flip}
    for name in (name for name in given if options.file and given[name]):
        raise ConfigError(f"{name} {_WITHOUT_FILE[name]} Leave out {name} or --file.")
    if options.method not in METHODS:
        raise ConfigError(f"--method {options.method} is unknown. Available: {', '.join(METHODS)}.")
    if not 0 <= options.opacity <= 100:
        raise ConfigError(f"--opacity {options.opacity:g} is not accepted; give 0 to 100.")
    if options.worst is not None and not 1 <= options.worst <= MAX_IMAGES:
        raise ConfigError(f"--worst {options.worst} is not accepted; give 1 to {MAX_IMAGES}.")


def _rows(predictions: "Predictions", options: argparse.Namespace) -> list[int]:
    from cifar_core.evaluation.sorting import most_confident_errors

    if options.images:
        return [predictions.examples.find(index) for index in options.images]
    count = 10 if options.worst is None else options.worst
    rows = most_confident_errors(predictions, count)
    if not rows:
        raise ConfigError(f"There are no errors among {predictions}. Give --images instead.")
    return rows


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"--file {path} cannot be read ({error.strerror}).") from None
