"""Progress of a long operation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Progress of a long operation.

    Attributes:
        stage: What is being done, as text for display.
        total: None if unknown.
        unit: Unit of `done` and `total`: "bytes" or "images".
    """

    stage: str
    done: int
    total: int | None
    unit: str
