"""The commands that rank layers, and that write a run's report."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cifar_core.cli.follow import follow_stages
from cifar_core.cli.out_file import check_out, write_out
from cifar_core.cli.runs import add_model
from cifar_core.records import layout
from cifar_core.runs.names import is_name
from cifar_core.runs.store import TrainingRun, find_run
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
    ranking = load_ranking(job)
    if options.json:
        ranked = [asdict(one) for one in ranking.ranked]
        print(json.dumps({"ranked": ranked, "random_score": ranking.random_score}))
        return
    print(ranking)
    for one in ranking.ranked[:10]:
        print(f"  {one.score:6.3f}  {one.method:10} {one.layer}")


def add_report(commands: Any) -> None:
    """report."""
    text = "write a self-contained HTML report: settings, curves, errors with Grad-CAM, commands"
    command = commands.add_parser("report", help=text, description=text)
    command.set_defaults(do=_report)
    add_model(command)
    command.add_argument("--out", type=Path, help="the file to write. Default: the run's name.")


def _report(options: argparse.Namespace) -> None:
    from cifar_core.jobs.launch_analysis import launch_report

    root = runs_root(options.runs)
    run = find_run(root, options.run, TrainingRun)
    out: Path = options.out or Path(f"{run.name if is_name(run.name) else run.run_id}.html")
    check_out("--out", out, ".html", ".htm")
    job = launch_report(root, run, options.checkpoint)
    follow_stages(job)
    write_out("--out", out, (job / layout.REPORT).read_bytes())
    print(f"Wrote {out}.")
