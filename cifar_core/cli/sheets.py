"""The commands that write sheets of images: data sheet, errors."""

import argparse
from pathlib import Path
from typing import Any

from cifar_core.cli.explain import add_subject, evaluated
from cifar_core.cli.out_file import check_out, write_out
from cifar_core.errors import ConfigError, DataError

MAX_PER_CLASS = 60
MAX_ERRORS = 500


def add_data_sheet(actions: Any) -> None:
    """Data sheet, one of the actions of data."""
    text = "write a sheet of training or test images, a row per class, to a PNG"
    command = actions.add_parser("sheet", help=text, description=text)
    command.set_defaults(do=_data_sheet)
    command.add_argument("--data", default="cifar10", help="cifar10, shapes10, or a folder")
    command.add_argument(
        "--split", choices=("train", "test"), default="train", help="Default: train."
    )
    command.add_argument(
        "--per-class",
        type=int,
        default=10,
        metavar="N",
        help=f"the first N images of each class, 1 to {MAX_PER_CLASS}. Default: 10.",
    )
    command.add_argument("--out", type=Path, required=True, help="the PNG to write")


def _data_sheet(options: argparse.Namespace) -> None:
    import numpy as np

    from cifar_core.data import open_dataset
    from cifar_core.data.sheet import split_sheet

    count = options.per_class
    if not 1 <= count <= MAX_PER_CLASS:
        raise ConfigError(f"--per-class {count} is not accepted; give 1 to {MAX_PER_CLASS}.")
    check_out("--out", options.out, ".png")
    data = open_dataset(options.data)
    split = data.train if options.split == "train" else data.test
    present = split.counts[split.counts > 0]
    if not len(present):
        raise DataError(f"{data.title} has no {options.split} images. Choose the other --split.")
    if count > present.min():
        raise ConfigError(
            f"--per-class {count} is more than the {present.min()} {options.split} images that "
            f"a class of {data.title} has. Give a lower number."
        )
    rows = [np.flatnonzero(split.labels == k)[:count] for k in range(len(data.classes))]
    content = split_sheet(data, options.split, np.concatenate(rows), columns=count)
    write_out("--out", options.out, content)
    print(f"Wrote {options.out}.")


def add_errors(commands: Any) -> None:
    """errors."""
    text = "write the most confident errors of a model, without maps, to a PNG"
    command = commands.add_parser("errors", help=text, description=text)
    command.set_defaults(do=_errors)
    add_subject(command)
    command.add_argument(
        "--worst",
        type=int,
        default=20,
        metavar="N",
        help=f"how many errors, 1 to {MAX_ERRORS}. Default: 20.",
    )
    command.add_argument("--out", type=Path, required=True, help="the PNG to write")


def _errors(options: argparse.Namespace) -> None:
    from cifar_core.evaluation.export import images_png
    from cifar_core.evaluation.sorting import most_confident_errors

    if not 1 <= options.worst <= MAX_ERRORS:
        raise ConfigError(f"--worst {options.worst} is not accepted; give 1 to {MAX_ERRORS}.")
    check_out("--out", options.out, ".png")
    run, predictions = evaluated(options)
    rows = most_confident_errors(predictions, options.worst)
    if not rows:
        raise ConfigError(f"There are no errors among {predictions}. Choose another --split.")
    write_out("--out", options.out, images_png(run.name, predictions, rows))
    print(f"Wrote {options.out}.")
