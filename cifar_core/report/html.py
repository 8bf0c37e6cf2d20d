"""A run on one page that opens offline: settings, curves, errors with maps, how to repeat it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cifar_core import plots
from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.train import TrainConfig, shown
from cifar_core.data.encode import data_uri
from cifar_core.evaluation.metrics import (
    calibration,
    per_class_accuracy,
    precision_recall_f1,
    topk_accuracy,
    wilson_interval,
)
from cifar_core.evaluation.predictions import Predictions
from cifar_core.evaluation.sorting import most_confident_errors
from cifar_core.explain.overlay import overlay
from cifar_core.explain.sheet import Card
from cifar_core.plots.html import as_html, script
from cifar_core.records.records import read_metrics
from cifar_core.report.commands import NUM_WORST, checkpoint_option, commands, reproducibility
from cifar_core.runs.store import Run

FILE = "report.html"


def worst_cards(table: Predictions) -> tuple[list[Card], str]:
    """The errors that the model was most certain of with their maps, and how those were made."""
    from cifar_core.checkpoints.checkpoint import load_model
    from cifar_core.explain.layers import default_layer, list_layers
    from cifar_core.explain.maps import CamRequest, cards_from, compute_cams, heading_of
    from cifar_core.explain.targets import target_classes

    rows = most_confident_errors(table, NUM_WORST)
    if not rows:
        return [], "There is no error."
    model = load_model(table.checkpoint)
    layer = default_layer(list_layers(model)).name
    asked, pixels = target_classes(table, rows, "predicted"), table.examples.pixels(rows)
    cams = compute_cams(model, table.checkpoint, pixels, layer, asked)
    how = f"{heading_of(layer, cams, CamRequest(layer))}. All maps have one scale."
    return cards_from(table, rows, asked, cams, one_scale=True), how


def report_html(run: Run, table: Predictions, cards: Sequence[Card], maps: str) -> str:
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
        repeats=reproducibility(run),
        commands=commands(run.config, run.name, checkpoint_option(table.checkpoint)),
    )


def key_figures(table: Predictions) -> dict[str, str]:
    """What is said of a table first, by its name."""
    return {
        "Accuracy": f"{table.acc:.2%}",
        "Top-2": f"{topk_accuracy(table.log_probs, table.examples.labels, 2):.2%}",
        "Errors": f"{len(table.rows()):,}",
        "Loss": f"{table.losses.mean():.3f}",
    }


def sure_of(table: Predictions) -> str:
    """How sure its accuracy is."""
    low, high = wilson_interval(int(table.correct.sum()), len(table.correct))
    return f"95 % interval of the accuracy, by Wilson: {low:.2%} to {high:.2%}."


def _judged(table: Predictions) -> dict[str, Any]:
    """Figures and plots of a table."""
    classes = table.examples.classes
    judged = (
        plots.class_scores(precision_recall_f1(table.matrix), classes),
        plots.class_accuracies(per_class_accuracy(table.matrix), classes),
        plots.reliability(calibration(table.confidence, table.correct)),
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
