"""The file that a command writes: refused before the work, written whole or not at all."""

from pathlib import Path

import pytest

from cifar_core.cli.out_file import check_out, write_out
from cifar_core.errors import ConfigError


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "b c.jpg"])
def test_a_path_that_fits_is_taken(tmp_path: Path, name: str) -> None:
    check_out("--out", tmp_path / name, ".png", ".jpg")
    assert list(tmp_path.iterdir()) == [], "checking makes nothing"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.gif", "--out .*a.gif has to end in .png or .jpg."),
        ("a", "--out .*a has to end in .png or .jpg."),
        ("no/such/a.png", "no/such/a.png: there is no such folder. Create it first."),
    ],
)
def test_a_path_that_will_not_do_is_refused(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        check_out("--out", tmp_path / name, ".png", ".jpg")


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ConfigError, match=r"--out .*a.png cannot be written \(Is a directory\)"):
        write_out("--out", tmp_path / "a.png", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    write_out("--out", tmp_path / "b.png", b"content")
    assert (tmp_path / "b.png").read_bytes() == b"content"
