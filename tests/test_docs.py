"""The documents match the code: tree, example, settings, named files, hooks, no machine's path."""

import ast
import re
import subprocess
import sys

import pytest
import yaml

from cifar_core.config.reference import settings_doc
from cifar_core.system.paths import repository

ROOT = repository()
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return listed.stdout.split()


def readme_tree() -> list[str]:
    """The paths of the tree in the README; folders end with a slash."""
    block = re.search(r"## What is where\n\n```\n(.*?)```", README, re.DOTALL)
    assert block is not None
    lines = block.group(1).splitlines()
    assert len(lines) <= 32
    found, folder = list[str](), ""
    for line in lines:
        names = re.split(r"  +", line.strip())[0].split(", ")
        found += [(folder if line.startswith(" ") else "") + name for name in names]
        folder = folder if line.startswith(" ") else names[0]
    return found


def test_the_tree_in_the_readme_is_the_tree_on_disk() -> None:
    on_disk = {f"{path.partition('/')[0]}/" if "/" in path else path for path in tracked()}
    on_disk |= {f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("cifar_core/*/*.py")}
    listed = readme_tree()
    assert len(listed) == len(set(listed))
    assert set(listed) == on_disk | {"pages/ui/"}


PACKAGES = sorted(
    p.parent for top in ("cifar_core", "pages") for p in ROOT.glob(f"{top}/**/__init__.py")
)


def test_the_docstring_of_each_package_is_its_map() -> None:
    assert len(PACKAGES) > 25
    for folder in PACKAGES:
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        lines = re.findall(r"^ *(\S+)  +(\S.*)$", text or "", re.MULTILINE)
        files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
        inside = (path for path in folder.iterdir() if path.is_dir())
        folders = {f"{path.name}/" for path in inside if path.name != "__pycache__"}
        assert {name for name, _ in lines} == files | folders, folder
        assert all(not about.endswith((",", " and", " the", " of")) for _, about in lines), folder


def test_the_example_in_the_readme_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(example.strip().splitlines()) <= 11
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert re.fullmatch(r"epoch 1: test accuracy \d+\.\d%\n", done.stdout)


def test_the_page_of_settings_is_up_to_date() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == settings_doc(), (
        "run: python -m cifar_core.config.reference > docs/settings.md"
    )


def test_every_command_in_the_readme_is_one() -> None:
    from cifar_core.cli.main import build_parser

    parser = build_parser()
    for line in re.findall(r"^    python -m cifar_core (.*)$", README, re.MULTILINE):
        assert parser.parse_args(line.partition("#")[0].split())


def test_pictures_of_the_readme_exist() -> None:
    for picture in re.findall(r"\]\((docs/images/[^)]+)\)", README):
        assert (ROOT / picture).is_file()


def paths_in(text: str) -> list[str]:
    """What stands in backticks and looks like a path of the repository, and relative links."""
    quoted = [word for word in re.findall(r"`([^`\s]+)`", text) if "://" not in word]
    paths = [w for w in quoted if "/" in w or w.endswith((".py", ".md", ".toml", ".txt"))]
    return paths + re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", text)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_files_that_a_document_names_exist(name: str) -> None:
    paths = paths_in((ROOT / name).read_text(encoding="utf-8"))
    assert len(paths) > (30 if name == "CONTRIBUTING.md" else 1)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_paths_in_a_text_are_told_from_other_words() -> None:
    text = (
        "`app.py`, `pages/`, `make lint`, `B C H W`, `status.json`, [a](docs/a.md), [b](https://b)"
    )
    assert paths_in(text) == ["app.py", "pages/", "docs/a.md"]


def test_the_hooks_call_the_commands_of_make_lint() -> None:
    recipe = re.search(
        r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    assert recipe is not None
    commands = recipe.group(1).replace("$(BIN)", ".venv/bin").split("\n")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    (hooks,) = (repo["hooks"] for repo in config["repos"])
    assert [hook["entry"] for hook in hooks] == [line.strip() for line in commands if line]
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks)


def test_no_tracked_text_names_a_folder_of_one_machine() -> None:
    for path in tracked():
        if path.endswith((".py", ".md", ".toml", ".txt", "Makefile", "run")):
            text = (ROOT / path).read_text(encoding="utf-8")
            assert str(ROOT.parent) + "/" not in text, path
