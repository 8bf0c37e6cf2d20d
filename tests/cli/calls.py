"""Commands called in this process, or spelled out for one of their own."""

import sys

import pytest

from cifar_core.cli.main import main
from tests.real_jobs import SMALL

SMALL_ARGUMENTS = [
    word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", str(value))
]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cifar_core", *arguments]


def out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints."""
    assert main(arguments) == 0
    return capsys.readouterr().out
