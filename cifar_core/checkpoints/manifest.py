"""manifest.json: what a checkpoint is of, and the sums of its files."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from cifar_core.records.records import EpochRecord
from cifar_core.validation import STORED, Count, Text

Role = Literal["last", "best", "epoch"]
Channels = tuple[float, float, float]  # red, green, blue


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """manifest.json: what a checkpoint is of, and the sums of its files; written last.

    Attributes:
        role: "last", "best" or "epoch".
        step: Optimizer steps taken; `epoch` those that are finished.
        data: Title of the data set; `fingerprint` of its content.
        mean, std: Of the channels, scale 0..1, with which images are normalized.
        test_mean, test_std: The same for test images; None where they are no others.
        figures: Of the epoch that ended here; none where training stopped within one.
        sha256: File name -> sum.
        sum: Of all that stands before, see `sum_of`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal[1] = 1
    role: Role
    epoch: Count
    step: Count
    model: Text
    data: Text
    fingerprint: Text
    classes: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
    mean: Channels
    std: Channels
    test_mean: Channels | None = None
    test_std: Channels | None = None
    figures: EpochRecord | None = None
    sha256: dict[str, str]
    sum: Text = ""


def sum_of(manifest: Manifest) -> str:
    """The SHA-256 of a manifest without its own sum."""
    values = {name: value for name, value in asdict(manifest).items() if name != "sum"}
    for name in ("test_mean", "test_std"):  # older manifests have none, and their sums stay
        if values[name] is None:
            del values[name]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
