"""The command that writes a run's report."""

import argparse
from pathlib import Path
from typing import Any

from cifar_core.cli_follow import follow_stages
from cifar_core.cli_runs import add_root
from cifar_core.errors import ConfigError
from cifar_core.files import write_atomic
from cifar_core.places import runs_root
from cifar_core.runs import find_run


def add_report(commands: Any) -> None:
    """report."""
    text = "write a run on one HTML page that opens offline: curves, errors, maps, how to repeat it"
    command = commands.add_parser("report", help=text, description=text)
    command.set_defaults(do=_report)
    command.add_argument("run", help="id or name of a training")
    command.add_argument(
        "--checkpoint", default="best", help="best, last, or a name. Default: best."
    )
    command.add_argument("--out", type=Path, help="the file to write. Default: RUN.html.")
    add_root(command)


def _report(options: argparse.Namespace) -> None:
    from cifar_core.launch_explain import launch_report
    from cifar_core.report import FILE

    root = runs_root(options.runs)
    run = find_run(root, options.run, "train")
    out: Path = options.out or Path(f"{run.name}.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out {out} has to end in .html.")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no such folder. Make it first.")
    job = launch_report(root, run, options.checkpoint)
    follow_stages(job)
    try:
        write_atomic(out, (job / FILE).read_bytes())
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be written ({error.strerror}).") from None
    print(f"Wrote {out}.")
