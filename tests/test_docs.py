"""The documents say what is: the tree, the example, the settings, no path of a machine."""

import re
import subprocess
import sys

import pytest

from cifar_core.places import repository
from cifar_core.settings_doc import settings_doc

ROOT = repository()
README = (ROOT / "README.md").read_text(encoding="utf-8")


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return listed.stdout.split()


def readme_tree() -> set[str]:
    """The paths of the tree in the README, two levels deep; folders end with a slash."""
    block = re.search(r"## What is where\n\n```\n(.*?)```", README, re.DOTALL)
    assert block is not None
    found, folder = set(), ""
    for line in block.group(1).splitlines():
        name = line.split()[0]
        if line.startswith(" "):
            found.add(folder + name)
            continue
        folder = name
        found.add(name)
    return found


def test_the_tree_in_the_readme_is_the_tree_on_disk() -> None:
    on_disk = set()
    for path in tracked():
        first, _, rest = path.partition("/")
        on_disk.add(f"{first}/" if rest else first)
        if rest:
            second, _, deeper = rest.partition("/")
            on_disk.add(f"{first}/{second}/" if deeper else f"{first}/{second}")
    assert readme_tree() == on_disk


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
    assert written == settings_doc(), "run: python -m cifar_core.settings_doc > docs/settings.md"


def test_every_command_in_the_readme_is_one() -> None:
    from cifar_core.cli import build_parser

    parser = build_parser()
    for line in re.findall(r"^    python -m cifar_core (.*)$", README, re.MULTILINE):
        assert parser.parse_args(line.partition("#")[0].split())


def test_pictures_of_the_readme_exist() -> None:
    for picture in re.findall(r"\]\((docs/images/[^)]+)\)", README):
        assert (ROOT / picture).is_file()


def test_no_tracked_text_names_a_folder_of_one_machine() -> None:
    for path in tracked():
        if path.endswith((".py", ".md", ".toml", ".txt", "Makefile", "run")):
            text = (ROOT / path).read_text(encoding="utf-8")
            assert str(ROOT.parent) + "/" not in text, path
