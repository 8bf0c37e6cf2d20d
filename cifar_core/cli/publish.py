"""The command that makes a run ship with the app."""

import argparse
from pathlib import Path
from typing import Any

from cifar_core.cli.runs import add_root
from cifar_core.runs.store import TrainingRun, find_run
from cifar_core.system.paths import runs_root, shipped_root, user_path


def add_publish(commands: Any) -> None:
    """publish."""
    text = "copy a run, small and read-only, into the folder of runs that ship with the app"
    command = commands.add_parser("publish", help=text, description=text)
    command.set_defaults(do=_publish)
    command.add_argument("run", help="id or name of the run")
    command.add_argument("--to", type=Path, help="another folder. Default: checkpoints/shipped.")
    command.add_argument("--hardware", default="", help="what it was trained on, in words")
    add_root(command)


def _publish(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from cifar_core.report.publish import publish

    run = find_run(runs_root(options.runs), options.run, TrainingRun)
    to = user_path(options.to) if options.to else shipped_root()
    with tqdm(bar_format="{desc}", leave=False) as line:
        for at in publish(run, to, options.hardware):
            line.set_description_str(f"{at.stage}: {at.done:,} of {at.total:,} {at.unit}")
    print(f"Wrote {to / run.run_id}.")
