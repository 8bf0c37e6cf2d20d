"""The walls: who may import whom, what stays out of a light import, how long files may be."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from cifar_core.system.paths import repository
from tests.imports import circles, edges, imports, roots

ROOT = repository()
CORE = sorted((ROOT / "cifar_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
UI = sorted((ROOT / "pages" / "ui").rglob("*.py"))
HEAVY = {"torch", "torchvision", "albumentations", "cv2", "pytorch_grad_cam", "torch_lr_finder"}
HEAVY |= {"matplotlib", "sklearn", "scipy", "cleanlab", "openTSNE", "jinja2"}
# What each room stands on; it may import those, and what they stand on in turn.
STANDS_ON = {
    "cifar_core.errors": "",
    "cifar_core.validation": "errors",
    "cifar_core.system": "validation",
    "cifar_core.models": "system",
    "cifar_core.records": "system",
    "cifar_core.data": "system",
    "cifar_core.augment": "data models records",
    "cifar_core.config": "augment",
    "cifar_core.checkpoints": "config",
    "cifar_core.training": "checkpoints",
    "cifar_core.lr_finder": "training",
    "cifar_core.forecast": "training",
    "cifar_core.runs": "checkpoints",
    "cifar_core.evaluation": "runs training",
    "cifar_core.explain": "evaluation",
    "cifar_core.plots": "lr_finder evaluation",
    "cifar_core.report": "explain plots",
    "cifar_core.jobs": "report forecast",
    "cifar_core.cli": "jobs",
    "cifar_core.serve": "jobs",
    "cifar_core.__main__": "cli",
    "cifar_core": "",
    "pages.ui.session": "cifar_core",
    "pages.ui.components": "pages.ui.session",
    "pages.ui.evaluation": "pages.ui.components",
    "pages.ui.gradcam": "pages.ui.evaluation",
    "pages.ui.training": "pages.ui.evaluation",
    "pages.ui.augmentation": "pages.ui.evaluation",
    "pages.ui.data": "pages.ui.evaluation",
    "pages.ui.home": "pages.ui.gradcam pages.ui.training pages.ui.data",
    "pages.ui": "",
}
# Modules whose business is tensors; everybody else imports what is heavy where it is used.
WITH_TORCH = {
    "augment.draws",
    "augment.kernels",
    "augment.kernels_cpu",
    "evaluation.predictor",
    "models.convnet",
    "models.head",
    "models.graph",
    "models.resnet",
    "models.sepnet",
    "models.speednet",
    "models.summary",
    "training.batches",
    "training.engine",
    "training.inference",
    "training.loss",
    "training.optim",
    "training.state",
}


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def room_of(module: str) -> str:
    """The room that a module of the table lies in; the deepest one named there."""
    parts = module.split(".")
    heads = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next(head for head in heads if head in STANDS_ON)


def allowed(room: str) -> set[str]:
    """The rooms that a room may import, itself included."""
    found = {room}
    for name in STANDS_ON[room].split():
        full = name if name in STANDS_ON else f"cifar_core.{name}"
        found |= (
            {one for one in STANDS_ON if one.startswith("cifar_core.")}
            if (full == "cifar_core")
            else allowed(full)
        )
    return found


def upward(graph: dict[str, set[str]]) -> list[str]:
    """Imports that the table does not have."""
    return [
        f"{module} imports {used}"
        for module, targets in graph.items()
        for used in sorted(targets)
        if room_of(used) not in allowed(room_of(module))
    ]


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """Who imports whom in the library and in the rooms of the pages, lazy and for types too."""
    return edges({module_name(path): path.read_text(encoding="utf-8") for path in (*CORE, *UI)})


def test_every_import_follows_the_table(graph: dict[str, set[str]]) -> None:
    assert upward(graph) == []
    assert sum(map(len, graph.values())) > 400


def test_every_room_of_the_table_is_there() -> None:
    here = {room_of(module_name(path)) for path in (*CORE, *UI)}
    assert here == set(STANDS_ON)


def test_there_is_no_circle(graph: dict[str, set[str]]) -> None:
    assert circles(graph) == []


PLANTED = {
    "lazy": "def f():\n    from cifar_core.{} import x\n",
    "for types": "if TYPE_CHECKING:\n    from cifar_core.{} import x\n",
    "of the package": "from cifar_core import {}\n",
    "plain": "import cifar_core.{}\n",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_upward_import_is_found(kind: str) -> None:
    room = "jobs" if kind == "of the package" else "training.engine"
    sources = {
        "cifar_core": "",
        "cifar_core.jobs": "",
        "cifar_core.training.engine": "",
        "cifar_core.runs.store": PLANTED[kind].format(room),
    }
    assert upward(edges(sources)) == [f"cifar_core.runs.store imports cifar_core.{room}"]


@pytest.mark.parametrize("kind", ["lazy", "for types", "plain"])
def test_a_planted_circle_is_found(kind: str) -> None:
    sources = {
        "cifar_core.runs.store": "from cifar_core.runs.states import RunState\n",
        "cifar_core.runs.states": PLANTED[kind].format("runs.index"),
        "cifar_core.runs.index": PLANTED[kind].format("runs.store"),
    }
    (circle,) = circles(edges(sources))
    assert circle == set(sources)


def test_the_core_knows_neither_streamlit_nor_the_pages() -> None:
    for path in CORE:
        assert not roots(imports(path)) & {"streamlit", "pages", "app", "tests"}, path


def test_plotly_stays_in_plots() -> None:
    for path in CORE:
        if "plotly" in roots(imports(path)):
            assert module_name(path).startswith("cifar_core.plots."), path


def test_heavy_imports_stand_where_they_are_used() -> None:
    for path in CORE:
        heavy = roots(imports(path, top_level_only=True)) & HEAVY
        name = module_name(path).removeprefix("cifar_core.")
        assert heavy == ({"torch"} if name in WITH_TORCH else set()), path


def test_pages_compute_nothing_heavy_themselves() -> None:
    for path in (*PAGES, *UI, ROOT / "app.py"):
        assert not roots(imports(path)) & HEAVY, path


def test_no_page_imports_another_page_or_the_router() -> None:
    for path in (*PAGES, *UI):
        pages = {name for name in imports(path) if name.startswith("pages")}
        assert all(name == "pages.ui" or name.startswith("pages.ui.") for name in pages), path
        assert "app" not in roots(imports(path)), path


def test_every_page_begins_with_the_boot_guard() -> None:
    for path in PAGES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        statements = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
        assert ast.unparse(statements[1]) == "boot(__file__)", path  # the first is the docstring


def test_light_modules_come_without_torch() -> None:
    """All but those that are about tensors: listing runs and drawing a curve need no torch."""
    names = {module_name(path).removeprefix("cifar_core.") for path in CORE}
    lights = sorted(
        f"cifar_core.{name}" for name in names - WITH_TORCH - {"cifar_core", "__main__"}
    )
    code = (
        f"import importlib, sys\nfor name in {lights}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY | {'streamlit'}} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_files_stay_short_enough_to_read() -> None:
    for path in (*CORE, *PAGES, *UI, ROOT / "app.py"):
        limit = 150 if path.parent == ROOT / "pages" else 250
        assert len(path.read_text(encoding="utf-8").splitlines()) <= limit, path


def test_nothing_unpickles_or_evaluates_foreign_content() -> None:
    for path in CORE:
        text = path.read_text(encoding="utf-8")
        for call in ("pickle.load", "weights_only=False", "jit.load", "shell=True", "os.system"):
            assert call not in text, f"{path.name}: {call}"


def test_every_library_that_is_imported_is_named_in_the_requirements() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower()
    named = {re.split(r"[<>= ]", line)[0].replace("_", "-") for line in text.splitlines()}
    own = {"cifar_core", "pages", *sys.stdlib_module_names}
    distributions = packages_distributions()
    for path in (*CORE, *PAGES, *UI):
        for module in roots(imports(path)) - own:
            names = {name.lower().replace("_", "-") for name in distributions[module]}
            assert names & named, f"{path.name} imports {module}, of {', '.join(names)}"
