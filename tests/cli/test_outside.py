"""What comes from outside a command: paths, files, addresses, terminals; sentences throughout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cifar_core.cli.main import main
from cifar_core.config.recipes import recipe
from cifar_core.system.paths import repository
from tests.real_jobs import ended_run
from tests.waiting import LIMIT_S

NOBODY = "~no-such-user/x"
NESTED = 100_000


def run(*words: str, **env: str) -> "subprocess.CompletedProcess[bytes]":
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cifar_core", *words],
        cwd=repository(),
        env={**os.environ, **env},
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (["data", "stats", "--data", NOBODY], None),
        (["train", "--data", NOBODY], None),
        (["train", "--data", "shapes10", "--weights", NOBODY], None),
        (["runs", "list", "--runs", NOBODY], None),
        (["runs", "list"], "CIFAR_RUNS"),
        (["data", "stats", "--data", "shapes10"], "CIFAR_CACHE"),
        (["data", "stats"], "CIFAR10_DIR"),
    ],
)
def test_a_home_that_is_not_there_is_named(
    words: list[str],
    variable: str | None,
    monkeypatch: pytest.MonkeyPatch,
    own_cache: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if variable:
        monkeypatch.setenv(variable, NOBODY)
    assert main(words) == 2
    told = capsys.readouterr().err
    assert NOBODY in told
    assert "no such home folder" in told


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp437", "ascii"])
def test_a_terminal_that_lacks_letters_shows_others(runs: Path, encoding: str) -> None:
    ended_run(runs, "学 é")
    for words in (["augment"], ["runs", "list"]):
        done = run(*words, PYTHONIOENCODING=encoding, CIFAR_RUNS=str(runs))
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_an_output_that_is_full_is_a_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cifar_core", "augment"],
            cwd=repository(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"The output cannot be written (No space left on device).\n"


@pytest.mark.parametrize(
    "address", ["http://[", "http://", "ftp://a/b", "http://a:b/", "http://a b/", "http://\x7f/"]
)
def test_an_address_that_is_none_is_named(
    address: str, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "download", "--mirror", address]) == 2
    assert "is not a web address" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--config", "--augment"])
@pytest.mark.parametrize("text", ["[" * NESTED, '{"a":' * NESTED, '{"operations":' + "[" * NESTED])
def test_json_that_is_nested_too_deep_is_a_sentence(
    tmp_path: Path, option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deep.json"
    file.write_text(text)
    assert main(["train", option, str(file)]) == 2
    told = capsys.readouterr().err
    assert "nested too deep" in told
    assert len(told) < 1000


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    from cifar_core.augment import spec_from_text
    from cifar_core.cli.main import build_parser
    from cifar_core.cli.settings import read_config

    config, spec = tmp_path / "config.json", tmp_path / "spec.json"
    quick = recipe("quick")
    config.write_text(quick.model_dump_json(), encoding="utf-8-sig")
    spec.write_text(quick.augment.to_json(), encoding="utf-8-sig")
    assert read_config(build_parser().parse_args(["train", "--config", str(config)])) == quick
    assert spec_from_text(str(spec)) == quick.augment
