"""How often each fault is provoked, what came of it, and workers that need no torch."""

import time
from collections.abc import Iterator

import pytest

from cifar_core import launch
from cifar_core.places import repository
from tests.reliability.plain import PlainServer
from tests.reliability.report import REPORT, Count, write_report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the full counts")
    parser.addoption("--report", action="store_true", help="write them to docs/reliability.md")


class Tally:
    """The counts of one test.

    Attributes:
        full: All of them are asked for, not a few.
    """

    def __init__(self, full: bool, out: list[Count]) -> None:
        self.full, self.out = full, out
        self.started = time.monotonic()

    def times(self, few: int, full: int) -> int:
        """How often to provoke the fault."""
        return full if self.full else few

    def note(self, requirement: str, what: str, good: int, of: int) -> None:
        """Says how often it went as it should; the test fails where that is not always."""
        took_s = time.monotonic() - self.started
        self.out.append(Count(requirement, what, good, of, took_s))
        assert good == of, f"{what}: {good} of {of}"


@pytest.fixture(scope="session")
def counts(request: pytest.FixtureRequest) -> Iterator[list[Count]]:
    """All counts of the session."""
    found: list[Count] = []
    yield found
    if request.config.getoption("--report", default=False):
        write_report(repository() / REPORT, found)


@pytest.fixture
def tally(request: pytest.FixtureRequest, counts: list[Count]) -> Tally:
    """The counts of this test."""
    return Tally(bool(request.config.getoption("--full", default=False)), counts)


@pytest.fixture(scope="session")
def plain_server() -> Iterator[PlainServer]:
    """One process that forks all plain workers of the session."""
    server = PlainServer()
    yield server
    server.close()


@pytest.fixture
def plain(plain_server: PlainServer, monkeypatch: pytest.MonkeyPatch) -> PlainServer:
    """Every job started from this test has a plain worker."""
    monkeypatch.setattr(launch, "spawn", plain_server.spawn)
    return plain_server
