"""Every cached value of the pages is computed again when anything that it depends on differs."""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cifar_core.config.train import make_config
from cifar_core.plots import Curve, View
from cifar_core.records.records import Metrics, StepRecord
from cifar_core.records.steps import Steps
from pages.ui.session import cache, cache_analysis

pytestmark = pytest.mark.usefixtures("fresh_caches")

# What cached values depend on, with a second value for each.
INPUTS: dict[str, tuple[Any, Any]] = {
    "path": ("runs/a", "runs/b"),
    "checkpoint": ("best-1", "last-1"),
    "weights": ("w1", "w2"),
    "split": ("test", "val"),
    "flip": (False, True),
    "data": ("d1", "d2"),
    "sha256": ("", "s1"),  # none: of the epoch that training kept
    "written_at": (1, 2),
    "num_epochs": (1, 2),
    "row": (3, 4),
    "pixels": (0, 1),
    "layer": ("layer1", "layer2"),
    "target": (5, (5, 6)),
    "method": ("GradCAM", "LayerCAM"),
    "untrained": (False, True),
    "name": ("cifar10", "shapes10"),
    "classes": ((0,), (0, 1)),
    "lr": (0.1, 0.2),
    "epoch": (1, 2),
    "step": (1, 2),
    "run_id": ("r1", "r2"),
    "num_steps": (1, 2),
    "steps_per_epoch": (4, 8),
    "epochs": (5, 6),
    "quantity": ("loss", "acc"),
    "axis": ("epoch", "step"),
    "smoothing": (0.0, 0.5),
    "references": (False, True),
    "functions": (False, True),
}
INDEPENDENT = {"hardware"}  # depends on the machine alone


@dataclass(frozen=True)
class Case:
    """A cached function: what computes its value, how it is called, and what it depends on."""

    module: ModuleType
    computed_by: str
    call: Callable[[SimpleNamespace], Any]
    depends_on: str


def run(v: SimpleNamespace) -> Any:
    return SimpleNamespace(path=Path(v.path), config=SimpleNamespace(data=v.data))


def checkpoint(v: SimpleNamespace) -> Any:
    path = Path(v.path) / v.checkpoint
    return SimpleNamespace(path=path, name=v.checkpoint, weights_sha256=v.weights, split=v.split)


def predictions(v: SimpleNamespace) -> Any:
    return SimpleNamespace(
        checkpoint=checkpoint(v),
        examples=SimpleNamespace(split=v.split, fingerprint=v.data),
        note=SimpleNamespace(weights=v.weights, flip=v.flip, sha256=v.sha256),
    )


def history(v: SimpleNamespace) -> Any:
    epochs = np.arange(v.num_epochs)
    return SimpleNamespace(epochs=epochs, examples=SimpleNamespace(fingerprint=v.data))


def view(v: SimpleNamespace) -> Any:
    names = ("layer", "method", "target", "untrained")
    return SimpleNamespace(checkpoint=checkpoint(v), **{name: getattr(v, name) for name in names})


def image(v: SimpleNamespace) -> np.ndarray:
    return np.full((32, 32, 3), v.pixels, np.uint8)


def metrics(v: SimpleNamespace) -> Metrics:
    return Metrics(steps=Steps([StepRecord(1, 1, 1.0, 0.5, 0.1, 9.0)] * v.num_steps))


def curve(v: SimpleNamespace) -> Curve:
    return Curve(v.name, metrics(v), v.steps_per_epoch, v.epochs, v.run_id)


def split(v: SimpleNamespace) -> Any:
    empty = np.zeros(0, np.uint8)
    return SimpleNamespace(fingerprint=v.data, images=empty, labels=empty)


A = cache_analysis
CASES = {
    "_load_predictions": Case(
        A,
        "load_predictions",
        lambda v: A.predictions(run(v), checkpoint(v), v.split, v.flip),
        "path checkpoint weights split flip data written_at",
    ),
    "_load_history": Case(
        A, "load_history", lambda v: A.history(run(v)), "path num_epochs data written_at"
    ),
    "_probabilities_over_epochs": Case(
        A,
        "probabilities_over_epochs",
        lambda v: A.image_history(run(v), history(v), v.row),
        "path num_epochs data written_at row",
    ),
    "_label_issues": Case(
        A,
        "find_label_issues",
        lambda v: A.label_issues(predictions(v)),
        "weights split flip data sha256",
    ),
    "_read_features": Case(
        A,
        "read_values",
        lambda v: A.features(run(v), predictions(v)),
        "path weights split data written_at",
    ),
    "_pca_projection": Case(
        A,
        "pca_projection",
        lambda v: A.pca_coordinates(run(v), predictions(v)),
        "weights split data",
    ),
    "_read_embedding": Case(
        A,
        "read_values",
        lambda v: A.tsne_coordinates(run(v), predictions(v)),
        "path weights split data written_at",
    ),
    "_model": Case(A, "load_model", lambda v: A.model(checkpoint(v)), "path checkpoint weights"),
    "_layers": Case(A, "list_layers", lambda v: A.layers(checkpoint(v)), "path checkpoint weights"),
    "_forward_s": Case(
        A, "forward_s", lambda v: A.pass_s(checkpoint(v)), "path checkpoint weights"
    ),
    "_maps": Case(
        A,
        "compute_cams",
        lambda v: A.view_map(view(v), image(v)),
        "path checkpoint weights split pixels layer target method untrained",
    ),
    "effect": Case(cache, "load_effect", lambda v: cache.effect(Path(v.path)), "path"),
    "ranking": Case(cache, "load_ranking", lambda v: cache.ranking(Path(v.path)), "path"),
    "_opened": Case(cache, "open_dataset", lambda v: cache.dataset(v.name), "name data written_at"),
    "_class_means": Case(cache, "class_means", lambda v: cache.means_of(split(v)), "data"),
    "_histogram": Case(
        cache, "histogram_of", lambda v: cache.histogram(split(v), v.classes), "data classes"
    ),
    "batch": Case(
        cache,
        "cifar_core.training.batches.redraw",
        lambda v: cache.batch(make_config({"lr": v.lr}), v.data, v.epoch, v.step),
        "lr data epoch step",
    ),
    "_metrics_cell": Case(cache, "Metrics", lambda v: id(cache._metrics_cell(v.path)), "path"),
    "_figure": Case(
        cache,
        "cifar_core.plots.curves",
        lambda v: cache.figure((curve(v),), v.quantity, View(v.axis, v.smoothing, v.references)),
        "name num_steps steps_per_epoch epochs run_id quantity axis smoothing references",
    ),
    "_lr_figure": Case(
        cache,
        "cifar_core.plots.learning_rates",
        lambda v: cache.lr_figure(v.run_id, metrics(v)),
        "run_id num_steps",
    ),
    "_index": Case(cache, "RunIndex", lambda v: id(cache._index(v.path)), "path"),
    "layer_table": Case(
        cache,
        "cifar_core.models.summary.summarize",
        lambda v: cache.layer_table(v.name, v.functions),
        "name functions",
    ),
}


def stub_inputs(patch: pytest.MonkeyPatch, values: SimpleNamespace, tmp_path: Path) -> None:
    """Replaces what reads files or models, so that a call depends on `values` alone."""

    def decoded(name: str) -> Path:
        folder = tmp_path / values.data
        folder.mkdir(exist_ok=True)
        (folder / "meta.json").touch()
        os.utime(folder / "meta.json", (values.written_at, values.written_at))
        return folder

    def made(path: Path) -> Path:
        path.mkdir(exist_ok=True)
        return path

    def epoch_files(path: Path) -> list[Path]:
        return [path] * values.num_epochs

    patch.setattr(A, "ready_folder", decoded)
    patch.setattr(cache, "ready_folder", decoded)
    patch.setattr(A, "epoch_files", epoch_files)
    patch.setattr(A, "_written_at", lambda path: values.written_at)
    patch.setattr(A, "available_file", lambda run, *args: run.path)
    patch.setattr(A, "find_values", lambda run, *args: made(tmp_path / run.path.name))
    patch.setattr(cache, "open_dataset", lambda name: None)
    patch.setattr("cifar_core.models.create_model", lambda name: name)
    patch.setattr(A, "read_run", lambda path, *kind: SimpleNamespace(path=path))
    asked = SimpleNamespace(for_split=lambda split: SimpleNamespace(path=tmp_path))
    patch.setattr(A, "read_checkpoint", lambda path: asked)
    for name in ("read_values", "load_model", "untrained_model"):
        patch.setattr(A, name, lambda *args: None)


@pytest.mark.parametrize("name", CASES)
def test_a_value_is_shared_only_if_all_it_depends_on_is_equal(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case, numbers = CASES[name], itertools.count()
    target = case.computed_by
    if "." not in target:
        target = f"{case.module.__name__}.{target}"

    def value(**changes: Any) -> Any:
        values = SimpleNamespace(**{key: pair[0] for key, pair in INPUTS.items()} | changes)
        stub_inputs(monkeypatch, values, tmp_path)
        monkeypatch.setattr(target, lambda *args: {"number": next(numbers)})
        return case.call(values)

    first = value()
    assert value() == first, "nothing differs, yet it was computed again"
    for dependency in case.depends_on.split():
        other = value(**{dependency: INPUTS[dependency][1]})
        assert other != first, f"{name} shares its value although {dependency} differs"


def test_every_cached_function_has_a_case() -> None:
    cached = {
        name
        for module in (cache, cache_analysis)
        for name, function in vars(module).items()
        if hasattr(function, "clear") and getattr(function, "__module__", "") == module.__name__
    }
    assert cached == set(CASES) | INDEPENDENT
