"""A run on one self-contained HTML page: settings, curves, errors with Grad-CAM, commands."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cifar_core import plots
from cifar_core.checkpoints.checkpoint import Checkpoint
from cifar_core.config.display import display_values
from cifar_core.config.train import TrainConfig
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
from cifar_core.records import layout
from cifar_core.records.records import read_metrics
from cifar_core.report.commands import (
    NUM_WORST,
    checkpoint_option,
    repeat_commands,
    reproducibility,
)
from cifar_core.runs.store import TrainingRun


def worst_cards(predictions: Predictions) -> tuple[list[Card], str]:
    """The most confident errors with their maps, and a sentence about how these were made."""
    from cifar_core.checkpoints.checkpoint import load_model
    from cifar_core.explain.layers import default_layer, list_layers
    from cifar_core.explain.maps import CamRequest, cards_from, compute_cams, heading_of
    from cifar_core.explain.targets import target_classes

    rows = most_confident_errors(predictions, NUM_WORST)
    if not rows:
        return [], "No errors"
    model = load_model(predictions.checkpoint)
    layer = default_layer(list_layers(model)).name
    targets = target_classes(predictions, rows, "predicted")
    pixels = predictions.examples.pixels(rows)
    cams = compute_cams(model, predictions.checkpoint, pixels, layer, targets)
    about = f"{heading_of(layer, cams.grid, CamRequest(layer))}. All maps share one color scale."
    return cards_from(predictions, rows, targets, cams, one_scale=True), about


def report_html(
    run: TrainingRun, predictions: Predictions, cards: Sequence[Card], maps: str
) -> str:
    """The page, self-contained.

    Args:
        cards: Errors with their maps, see `worst_cards`.
        maps: A sentence about how the maps were made.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    return pages.get_template("report.html").render(
        run=run,
        predictions=predictions,
        plotly=script(),
        generated=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        **_metrics(predictions),
        curves=_curves(run),
        worst_title=f"Most confident errors ({len(cards)})",
        worst=[_images(card) for card in cards],
        maps=maps,
        settings=_settings(run.config),
        environment=_environment(run, predictions.checkpoint),
        reproducibility=reproducibility(run),
        commands=repeat_commands(run.config, run.name, checkpoint_option(predictions.checkpoint)),
    )


def key_figures(predictions: Predictions) -> dict[str, str]:
    """The main metrics as text, by name."""
    return {
        "Accuracy": f"{predictions.acc:.2%}",
        "Top-2": f"{topk_accuracy(predictions.log_probs, predictions.examples.labels, 2):.2%}",
        "Errors": f"{len(predictions.rows()):,}",
        "Loss": f"{predictions.losses.mean():.3f}",
    }


def accuracy_interval(predictions: Predictions) -> str:
    """The confidence interval of the accuracy as text."""
    low, high = wilson_interval(int(predictions.correct.sum()), len(predictions.correct))
    return f"95% CI (Wilson): {low:.2%} to {high:.2%}"


def _metrics(predictions: Predictions) -> dict[str, Any]:
    """Metrics and plots of the predictions."""
    classes = predictions.examples.classes
    scores = (
        plots.class_scores(precision_recall_f1(predictions.matrix), classes),
        plots.class_accuracies(per_class_accuracy(predictions.matrix), classes),
        plots.reliability(calibration(predictions.confidence, predictions.correct)),
    )
    return {
        "figures": key_figures(predictions),
        "interval": accuracy_interval(predictions),
        "matrix": as_html(plots.confusion(predictions.matrix, classes), "matrix"),
        "scores": [as_html(figure, f"scores-{n}") for n, figure in enumerate(scores)],
    }


def _curves(run: TrainingRun) -> list[str]:
    metrics = read_metrics(run.path / layout.METRICS)
    curve = plots.run_curve(run, metrics)
    return [as_html(plots.curves((curve,), q, plots.View()), q) for q in ("loss", "acc")]


def _images(card: Card) -> dict[str, Any]:
    over = overlay(card.pixels, card.cam, 0.5, scale=1)
    return {"image": data_uri(card.pixels), "overlay": data_uri(over), "lines": card.lines}


def _settings(config: TrainConfig) -> list[tuple[str, str, bool]]:
    """Each setting as text, and whether it differs from the default."""
    plain = display_values(TrainConfig())
    return [(name, text, text != plain[name]) for name, text in display_values(config).items()]


def _environment(run: TrainingRun, checkpoint: Checkpoint) -> dict[str, str]:
    """Hardware, versions, duration and checksums."""
    runtime = asdict(run.status.runtime) if run.status.runtime else {}
    chosen = [n for n in ("device", "precision", "memory_format") if n in runtime]
    took = run.took_s
    return {
        "run": run.run_id,
        "started": f"{run.created:%Y-%m-%d %H:%M} UTC",
        "duration": f"{took:,.0f} s" if took is not None else "not finished",
        "checkpoint": f"{checkpoint.name}, weights SHA-256 {checkpoint.weights_sha256}",
        "data": f"{run.data_title}, fingerprint {checkpoint.manifest.fingerprint}",
        **{name: f"{runtime[name]}: {runtime[f'{name}_reason']}" for name in chosen},
        **run.status.versions,
    }
