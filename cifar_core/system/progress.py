"""How far something long has come."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far something long has come.

    Attributes:
        stage: What is being done, for people.
        total: None where it is not known.
        unit: Of both numbers: "bytes" or "images".
    """

    stage: str
    done: int
    total: int | None
    unit: str
