"""The commands that rank layers, and that write a run's report."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cifar_core.cli.follow import follow_stages
from cifar_core.cli.runs import add_model
from cifar_core.errors import ConfigError
from cifar_core.records import layout
from cifar_core.runs.store import TrainingRun, find_run
from cifar_core.system.files import write_atomic
from cifar_core.system.paths import runs_root


def add_rank(commands: Any) -> None:
    """rank."""
    text = "rank layers and methods by how faithful their maps are (ROAD); one to three minutes"
    command = commands.add_parser("rank", help=text, description=text)
    command.set_defaults(do=_rank)
    add_model(command)
    command.add_argument("--json", action="store_true", help="print JSON")


def _rank(options: argparse.Namespace) -> None:
    from cifar_core.explain.road import load_ranking
    from cifar_core.jobs.launch_analysis import launch_road

    root = runs_root(options.runs)
    job = launch_road(root, find_run(root, options.run, TrainingRun), options.checkpoint)
    follow_stages(job)
    found = load_ranking(job)
    if options.json:
        ranked = [asdict(one) for one in found.ranked]
        print(json.dumps({"ranked": ranked, "by_chance": found.random_score}))
        return
    print(found)
    for one in found.ranked[:10]:
        print(f"  {one.score:6.3f}  {one.method:10} {one.layer}")


def add_report(commands: Any) -> None:
    """report."""
    text = "write a run on one HTML page that opens offline: curves, errors, maps, how to repeat it"
    command = commands.add_parser("report", help=text, description=text)
    command.set_defaults(do=_report)
    add_model(command)
    command.add_argument("--out", type=Path, help="the file to write. Default: RUN.html.")


def _report(options: argparse.Namespace) -> None:
    from cifar_core.jobs.launch_analysis import launch_report

    root = runs_root(options.runs)
    run = find_run(root, options.run, TrainingRun)
    out: Path = options.out or Path(f"{run.name}.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out {out} has to end in .html.")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no such folder. Make it first.")
    job = launch_report(root, run, options.checkpoint)
    follow_stages(job)
    try:
        write_atomic(out, (job / layout.REPORT).read_bytes())
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written ({error.strerror}).") from None
    print(f"Wrote {out}.")
