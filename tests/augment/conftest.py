"""How much of the long counts is tried."""

import pytest


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether all is tried, not only a tenth."""
    return bool(request.config.getoption("--full"))
