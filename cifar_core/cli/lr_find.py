"""The command lr-find."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from cifar_core.cli.follow import StatusLine, follow
from cifar_core.cli.runs import add_root
from cifar_core.cli.settings import FIND, add_config, add_fields, given, read_config
from cifar_core.config.lr_test import UNUSED, LRTestConfig
from cifar_core.lr_finder.range_test import explain_ending
from cifar_core.records.records import Metrics
from cifar_core.runs.states import RunState
from cifar_core.runs.store import Run
from cifar_core.system.paths import runs_root


def add_lr_find(commands: Any) -> None:
    """lr-find."""
    text = "run an LR range test for the settings of a training and suggest a learning rate"
    command = commands.add_parser("lr-find", help=text, description=text)
    command.set_defaults(do=_lr_find)
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    add_root(command)
    add_fields(command.add_argument_group("the test"), LRTestConfig, FIND)
    add_config(command, UNUSED)


def _lr_find(options: argparse.Namespace) -> int:
    from cifar_core.jobs.launch import launch_lr_find
    from cifar_core.lr_finder.curve import curve_of
    from cifar_core.lr_finder.suggest import disagreement, explain_none, suggest_all
    from cifar_core.validation import validated

    find = validated(LRTestConfig, given(options, FIND))
    run_dir = launch_lr_find(runs_root(options.runs), read_config(options), find)

    def tell(run: Run, metrics: Metrics) -> StatusLine:
        if not metrics.points:
            return StatusLine(0.0, str(run.state))
        at = metrics.points[-1]
        share = (at.repeat + at.step / find.num_steps) / find.num_seeds
        return StatusLine(share, f"lr {at.lr:.2g}, loss {at.loss:.4f}")

    run, metrics = follow(run_dir, tell)
    failed = run.state in (RunState.FAILED, RunState.INTERRUPTED)
    ending = run.reason if failed else explain_ending(_ending(run), metrics.points, find)
    curve = curve_of(metrics.points)
    suggestions = suggest_all(curve, find.diverge_factor)
    none = "" if suggestions or failed else explain_none(curve, find.diverge_factor)
    if options.json:
        rules = [{"lr": one.lr, "rule": one.rule, "reason": one.reason} for one in suggestions]
        points = [asdict(point) for point in metrics.points]
        summary = {"run_id": run.run_id, "state": str(run.state), "ending": ending}
        summary |= {"no_suggestion": none} if none else {}
        first = rules[0] if rules else None
        print(json.dumps({**summary, "suggestion": first, "rules": rules, "points": points}))
        return int(failed)
    print(ending)
    if suggestions:
        print(f"Suggested learning rate: {suggestions[0].lr:.3g}. {suggestions[0].reason}")
        for other in suggestions[1:]:
            print(f"  {other.rule}: {other.lr:.3g}. {other.reason}")
        print(disagreement(suggestions))
    elif none:
        print(none)
    return int(failed)


def _ending(run: Run) -> str:
    return run.status.ending or str(run.state)
