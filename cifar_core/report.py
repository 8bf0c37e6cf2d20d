"""A run on one page that opens offline: settings, curves, errors with maps, how to repeat it."""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cifar_core import plots
from cifar_core.augment.presets import PRESETS
from cifar_core.checkpoint import Checkpoint
from cifar_core.config import TrainConfig, shown
from cifar_core.export import data_uri
from cifar_core.metrics import calibration, class_acc, class_scores, interval, top_acc
from cifar_core.ordering import worst
from cifar_core.painting import overlay
from cifar_core.plots.page import as_html, script
from cifar_core.records import read_metrics
from cifar_core.runs import Run
from cifar_core.sheet import Card
from cifar_core.tables import Table

NUM_WORST = 20
FILE = "report.html"


def worst_cards(table: Table) -> tuple[list[Card], str]:
    """The errors that the model was most certain of with their maps, and how those were made."""
    from cifar_core.checkpoint import load_model
    from cifar_core.explain import Question, ask_about, cards_of, heading_of, maps_of
    from cifar_core.layers import default_layer, list_layers

    rows = worst(table, NUM_WORST)
    if not rows:
        return [], "There is no error."
    model = load_model(table.checkpoint)
    layer = default_layer(list_layers(model)).name
    asked, pixels = ask_about(table, rows, "predicted"), table.examples.pixels(rows)
    cams = maps_of(model, table.checkpoint, pixels, layer, asked)
    how = f"{heading_of(layer, cams, Question(layer))}. All maps have one scale."
    return cards_of(table, rows, asked, cams, one_scale=True), how


def report_html(run: Run, table: Table, cards: Sequence[Card], maps: str) -> str:
    """The page; all it needs is in it.

    Args:
        cards: Errors with their maps, see `worst_cards`.
        maps: How the maps were made.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    assert run.config is not None
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    return pages.get_template("report.html").render(
        run=run,
        table=table,
        plotly=script(),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **_judged(table),
        curves=_curves(run),
        worst_title=f"The {len(cards)} errors it was most certain of",
        worst=[_drawn(card) for card in cards],
        maps=maps,
        settings=_settings(run.config),
        facts=_facts(run, table.checkpoint),
        repeats=_repeats(run),
        commands=commands(run.config, run.name, _called(table.checkpoint)),
    )


def key_figures(table: Table) -> dict[str, str]:
    """What is said of a table first, by its name."""
    return {
        "Accuracy": f"{table.acc:.2%}",
        "Top-2": f"{top_acc(table.log_probs, table.examples.labels, 2):.2%}",
        "Errors": f"{len(table.rows()):,}",
        "Loss": f"{table.losses.mean():.3f}",
    }


def sure_of(table: Table) -> str:
    """How sure its accuracy is."""
    low, high = interval(int(table.right.sum()), len(table.right))
    return f"95 % interval of the accuracy, by Wilson: {low:.2%} to {high:.2%}."


def _judged(table: Table) -> dict[str, Any]:
    """Figures and plots of a table."""
    classes = table.examples.classes
    judged = (
        plots.class_scores(class_scores(table.matrix), classes),
        plots.class_accuracies(class_acc(table.matrix), classes),
        plots.reliability(calibration(table.confidence, table.right)),
    )
    return {
        "figures": key_figures(table),
        "interval": sure_of(table),
        "matrix": as_html(plots.confusion(table.matrix, classes), "matrix"),
        "judged": [as_html(figure, f"judged-{n}") for n, figure in enumerate(judged)],
    }


def _curves(run: Run) -> list[str]:
    assert run.config is not None
    metrics = read_metrics(run.path / "metrics.jsonl")
    steps = run.status.get("steps_per_epoch", 0)
    curve = plots.Curve(run.name, metrics, steps, run.config.epochs, run.run_id)
    return [as_html(plots.curves((curve,), q, plots.View()), q) for q in ("loss", "acc")]


def _drawn(card: Card) -> dict[str, Any]:
    over = overlay(card.pixels, card.cam, 0.5, scale=1)
    return {"image": data_uri(card.pixels), "overlay": data_uri(over), "lines": card.lines}


def _settings(config: TrainConfig) -> list[tuple[str, str, bool]]:
    """Each setting as text, and whether it is other than the default."""
    plain = shown(TrainConfig())
    return [(name, text, text != plain[name]) for name, text in shown(config).items()]


def _facts(run: Run, checkpoint: Checkpoint) -> dict[str, str]:
    """Hardware, versions, times and sums."""
    status = run.status
    runtime, versions = status.get("runtime") or {}, status.get("versions") or {}
    chosen = [n for n in ("device", "precision", "memory_format") if n in runtime]
    took = run.took_s
    return {
        "run": run.run_id,
        "started": f"{run.created:%Y-%m-%d %H:%M} UTC",
        "took": f"{took:,.0f} s" if took is not None else "not over yet",
        "checkpoint": f"{checkpoint.name}, weights SHA-256 {checkpoint.facts['weights']}",
        "data": f"{run.data_title}, fingerprint {checkpoint.manifest['fingerprint']}",
        **{name: f"{runtime[name]}: {runtime[f'{name}_reason']}" for name in chosen},
        **{name: str(version) for name, version in versions.items()},
    }


def _repeats(run: Run) -> str:
    """How exactly the commands repeat the run."""
    if "extends" in run.request:
        return "This run extends another one, which these lines train in one go: expect others."
    if (run.status.get("runtime") or {}).get("device") != "cpu":
        return "The same settings and seed; on a GPU the last bits of the figures may differ."
    return "The same settings and seed; the same figures on the same machine and versions."


def commands(config: TrainConfig, name: str, checkpoint: str = "best") -> str:
    """The command lines that train the same again, evaluate it and draw its errors.

    Args:
        checkpoint: "best", "last", or a name.
    """
    plain = TrainConfig()
    given = {
        field: _text(field, value)
        for field in TrainConfig.model_fields
        if (value := getattr(config, field)) != getattr(plain, field)
    }
    options = [part for field, text in given.items() for part in (f"--{_dashed(field)}", text)]
    named = f"{name[:54].strip()} again"
    again = shlex.quote(named) + ("" if checkpoint == "best" else f" --checkpoint {checkpoint}")
    lines = (
        f"train {shlex.join(['--name', named, *options])}",
        f"evaluate {again}",
        f"explain {again} --worst {NUM_WORST} --out maps.png",
        f"report {again}",
    )
    return "\n".join(f"python -m cifar_core {line}" for line in lines)


def _called(checkpoint: Checkpoint) -> str:
    """How a command names it in another run: steps are the same there."""
    return checkpoint.role if checkpoint.role in ("best", "last") else checkpoint.name


def _dashed(field: str) -> str:
    return field.replace("_", "-")


def _text(field: str, value: Any) -> str:
    """A setting as the command line takes it."""
    if field != "augment":
        return str(value)
    named = [name for name, spec in PRESETS.items() if spec == value]
    return named[0] if named else value.model_dump_json()
