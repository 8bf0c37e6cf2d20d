"""The walls: who may import whom, what stays out of a light import, how long files may be."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from cifar_core.places import repository

ROOT = repository()
CORE = sorted((ROOT / "cifar_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
UI = sorted((ROOT / "pages" / "ui").glob("*.py"))
HEAVY = {"torch", "torchvision", "albumentations", "cv2", "pytorch_grad_cam", "torch_lr_finder"}
HEAVY |= {"sklearn", "scipy", "cleanlab", "openTSNE", "jinja2"}
# Modules whose business is tensors; everybody else imports what is heavy where it is used.
WITH_TORCH = {
    "batches",
    "engine",
    "evaluation",
    "optim",
    "augment.kernels",
    "augment.rows",
    "models.convnet",
    "models.resnet",
    "models.sepnet",
    "models.speednet",
    "models.summary",
}
# What drawing a curve or listing runs needs; each has to come without torch.
LIGHT = (
    "errors fields config recipes places files records runs states changes claims identity "
    "processes launch turns worker jobs checkpoint saving space memory plots cli cli_data cli_runs "
    "runtime preflight data data.store augment models tables metrics layers own_image lr_finder "
    "suggest gradcam forecast cli_settings export load columns index measuring history features "
    "selections ordering doubts road side_by_side cam_methods cam_cost report cli_report"
)


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    """Names of the imported modules, with those under TYPE_CHECKING left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    nodes = [n for n in (tree.body if top_level_only else ast.walk(tree)) if n not in for_types]
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT / "cifar_core").with_suffix("").parts)
    return name.removesuffix(".__init__")


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_the_core_knows_neither_streamlit_nor_the_pages(path: Path) -> None:
    assert not roots(imports(path)) & {"streamlit", "pages", "app", "tests"}


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_plotly_stays_in_plots(path: Path) -> None:
    if "plotly" in roots(imports(path)):
        assert module_name(path).startswith("plots.")


@pytest.mark.parametrize("path", CORE, ids=module_name)
def test_heavy_imports_stand_where_they_are_used(path: Path) -> None:
    heavy = roots(imports(path, top_level_only=True)) & HEAVY
    assert heavy == ({"torch"} if module_name(path) in WITH_TORCH else set())


@pytest.mark.parametrize("path", [*PAGES, *UI, ROOT / "app.py"], ids=lambda p: p.stem)
def test_pages_compute_nothing_heavy_themselves(path: Path) -> None:
    assert not roots(imports(path)) & HEAVY


@pytest.mark.parametrize("path", [*PAGES, *UI], ids=lambda p: p.stem)
def test_no_page_imports_another_page_or_the_router(path: Path) -> None:
    pages = {name for name in imports(path) if name.startswith("pages")}
    assert all(name == "pages.ui" or name.startswith("pages.ui.") for name in pages)
    assert "app" not in roots(imports(path))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_every_page_begins_with_the_boot_guard(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    assert ast.unparse(statements[1]) == "boot(__file__)"  # the first is the docstring


def test_the_core_has_no_import_cycles() -> None:
    edges = {
        module_name(path): {
            name.removeprefix("cifar_core.")
            for name in imports(path, top_level_only=True)
            if name.startswith("cifar_core.")
            and (ROOT / Path(*name.split("."))).with_suffix(".py").exists()
        }
        for path in CORE
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for used in edges.get(name, ()):
                visit(used, (*above, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_light_modules_come_without_torch() -> None:
    names = [f"cifar_core.{name}" for name in LIGHT.split()]
    code = (
        f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY | {'streamlit'}} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", [*CORE, *PAGES, *UI, ROOT / "app.py"], ids=lambda p: p.name)
def test_files_stay_short_enough_to_read(path: Path) -> None:
    limit = 150 if path.parent == ROOT / "pages" else 250
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit


def test_nothing_unpickles_or_evaluates_foreign_content() -> None:
    for path in CORE:
        text = path.read_text(encoding="utf-8")
        for call in ("pickle.load", "weights_only=False", "jit.load", "shell=True", "os.system"):
            assert call not in text, f"{path.name}: {call}"


def test_every_library_that_is_imported_is_named_in_the_requirements() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").lower()
    named = {re.split(r"[<>= ]", line)[0].replace("_", "-") for line in text.splitlines()}
    own = {"cifar_core", "pages", *sys.stdlib_module_names}
    found = packages_distributions()
    for path in (*CORE, *PAGES, *UI):
        for module in roots(imports(path)) - own:
            names = {name.lower().replace("_", "-") for name in found[module]}
            assert names & named, f"{path.name} imports {module}, of {', '.join(names)}"
