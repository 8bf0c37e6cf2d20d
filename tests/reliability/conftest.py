"""Workers that need no torch."""

from collections.abc import Iterator

import pytest

from cifar_core.jobs import launch
from tests.reliability.plain import PlainServer


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
