"""The records of steps, column by column: many are read and drawn without an object for each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StepRecord:
    """Training since the record before, at most every half second.

    Attributes:
        epoch: The epoch under way, from 1.
        step: Optimizer steps done in the whole run.
        loss: Mean cross-entropy since the record before.
        images_per_s: Training speed since then.
        elapsed_s: Seconds since the run began, those between a stop and a resume left out.
    """

    kind: ClassVar[str] = "step"
    epoch: int
    step: int
    loss: float
    acc: float
    lr: float
    images_per_s: float
    elapsed_s: float = 0.0


NAMES = tuple(field.name for field in fields(StepRecord))
WHOLE = 2  # columns of whole numbers, which come first


class Steps(Sequence[StepRecord]):
    """Step records in order; immutable.

    Attributes:
        columns: (7, N) float64, a row per field of `StepRecord`.
    """

    def __init__(self, records: Iterable[StepRecord] = ()) -> None:
        rows = [astuple(record) for record in records]
        self.columns = np.array(rows, dtype=np.float64).reshape(-1, len(NAMES)).T

    @classmethod
    def _of(cls, columns: NDArray[np.float64]) -> "Steps":
        steps = cls()
        steps.columns = columns
        return steps

    def column(self, name: str) -> NDArray[np.float64]:
        """(N,) float64, one field of all records."""
        return self.columns[NAMES.index(name)]

    def extended(self, rows: Sequence[Sequence[Any]]) -> "Steps":
        """With more records, each a row of its fields' values.

        Raises:
            ValueError, TypeError: if a row has another length, or what is no number.
        """
        if not rows:
            return self
        added = np.array(rows, dtype=np.float64).reshape(-1, len(NAMES)).T
        return Steps._of(np.concatenate((self.columns, added), axis=1))

    def until(self, step: int) -> "Steps":
        """Those of no later step."""
        return Steps._of(self.columns[:, self.column("step") <= step])

    def __len__(self) -> int:
        return self.columns.shape[1]

    @overload
    def __getitem__(self, index: int) -> StepRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "Steps": ...
    def __getitem__(self, index: int | slice) -> "StepRecord | Steps":
        if isinstance(index, slice):
            return Steps._of(self.columns[:, index])
        return _record(self.columns[:, index])

    def __iter__(self) -> Iterator[StepRecord]:
        return map(_record, self.columns.T)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Steps) and np.array_equal(self.columns, other.columns)

    __hash__ = None  # pyright: ignore[reportAssignmentType] # compared by content, as a list is

    def __repr__(self) -> str:
        return f"Steps({list(self)!r})"


def _record(column: NDArray[np.float64]) -> StepRecord:
    values = column.tolist()
    return StepRecord(*(int(value) for value in values[:WHOLE]), *values[WHOLE:])
