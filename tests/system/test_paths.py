"""Folders: what is given, what the environment says, and the defaults, in this order."""

from pathlib import Path

import pytest

from cifar_core.errors import ConfigError
from cifar_core.system.paths import cache_dir, repository, runs_root, user_path


def test_the_cache_is_the_chosen_one_else_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CIFAR_CACHE", "~/here")
    assert cache_dir() == tmp_path / "here"
    monkeypatch.delenv("CIFAR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "cifar_core"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_dir() == tmp_path / ".cache" / "cifar_core"
    assert list(tmp_path.iterdir()) == [], "asking makes nothing"


def test_the_runs_are_where_they_are_said_to_be_and_always_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIFAR_RUNS", "mine")
    assert runs_root() == runs_root("") == tmp_path / "mine"
    assert runs_root("other") == tmp_path / "other"
    monkeypatch.delenv("CIFAR_RUNS")
    assert runs_root() == repository() / "checkpoints"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x" * 300, "too long"),
        ("/a" * 5000, "too long"),
        ("a\0b", "no path"),
        ("\ud83d", "no path"),
    ],
)
def test_what_is_no_path_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        user_path(text)


def test_a_path_need_not_be_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("nothing", "nothing/in it", "file/in it"):
        assert user_path(str(tmp_path / name)) == tmp_path / name


def test_the_repository_holds_the_package() -> None:
    assert (repository() / "cifar_core" / "system" / "paths.py").is_file()
