"""The type of request.json for each kind of job: what was asked for, and when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AwareDatetime,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
)

from cifar_core.augment.spec import AugmentSpec
from cifar_core.config.lr_test import LRTestConfig
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.records import layout
from cifar_core.system.json_files import read_typed
from cifar_core.validation import STORED, Count, Seconds, Text, validated

FORMAT = 1
AnalysisKind = Literal["evaluate", "embed", "road", "report", "effect"]
Origin = Annotated[str, Field(pattern=r"^(archive|hub|folder)$")]


def _table(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError("is no table of settings")
    return raw


_PLAIN = PlainSerializer(lambda model: model.model_dump(mode="json"))
_Config = Annotated[TrainConfig, PlainValidator(lambda raw: make_config(_table(raw))), _PLAIN]
_LRTest = Annotated[
    LRTestConfig, PlainValidator(lambda raw: validated(LRTestConfig, _table(raw))), _PLAIN
]
_Spec = Annotated[
    AugmentSpec, PlainValidator(lambda raw: validated(AugmentSpec, _table(raw))), _PLAIN
]


@dataclass(frozen=True, kw_only=True)
class Request:
    """request.json: what was asked for; written once by the launcher.

    Attributes:
        created: When, with its time zone.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal[1] = FORMAT
    run_id: Text
    kind: str
    created: AwareDatetime


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What was forecast when a training was started; see `forecast.Forecast`."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    seconds: Seconds
    eval_s: Seconds = 0.0
    train: Seconds = 0.0
    memory_bytes: Count = 0
    disk_bytes: Count = 0


@dataclass(frozen=True)
class LROrigin:
    """Where a learning rate is from.

    Attributes:
        test: The id of the LR test.
        rule: Which rule read it off the curve, or that somebody did.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    test: Text
    rule: Text
    lr: Seconds


@dataclass(frozen=True)
class LRSource(LROrigin):
    """The same with what the test was of, which stays known when the test is deleted."""

    model: Text = ""
    optimizer: Text = ""
    batch_size: Count = 0
    precision: Text = ""
    augment: Text = ""


@dataclass(frozen=True, kw_only=True)
class TrainRequest(Request):
    """A training.

    Attributes:
        device: What `config.device` came to.
        draft: Names one intention, so that it starts one run.
        fingerprint: Of the data, if they were there already; so is the title.
        extends: The id of the run that it begins with, if there is one.
        val_seen: How many validation images its starting weights were trained on; None if that was
            not known.
    """

    kind: Literal["train"] = "train"
    config: _Config
    device: Text
    draft: Text = ""
    data_title: Text = ""
    fingerprint: Text = ""
    forecast: Expected | None = None
    lr_from: LRSource | None = None
    extends: Text = ""
    val_seen: Count | None = None


@dataclass(frozen=True, kw_only=True)
class LRTestRequest(Request):
    """An LR test for the settings of a training."""

    kind: Literal["lr_find"] = "lr_find"
    config: _Config
    find: _LRTest
    device: Text
    draft: Text = ""
    data_title: Text = ""
    fingerprint: Text = ""


@dataclass(frozen=True, kw_only=True)
class DataRequest(Request):
    """A download or import of CIFAR-10.

    Attributes:
        path: The folder to import, or to download to; empty: the cache's own.
        mirror: The address that has the files instead of the official ones.
    """

    kind: Literal["data"] = "data"
    origin: Origin
    path: Text = ""
    allow_modified: bool = False
    mirror: Text | None = None


@dataclass(frozen=True, kw_only=True)
class AnalysisRequest(Request):
    """A job about a checkpoint of a run.

    Attributes:
        split, flip: Of evaluations and embeddings.
        augment: Of effects.
    """

    kind: AnalysisKind
    run: Text
    checkpoint: Text
    split: Annotated[str, Field(pattern=r"^(|test|val|train)$")] = ""
    flip: bool = False
    augment: _Spec | None = None


AnyRequest = TrainRequest | LRTestRequest | DataRequest | AnalysisRequest
# Made once: what reads a file as a type is built for each new object, which takes 25 ms.
_BY_KIND: Any = Annotated[AnyRequest, Field(discriminator="kind")]


def read_request(
    run_dir: Path,
) -> "TrainRequest | LRTestRequest | DataRequest | AnalysisRequest | None":
    """The request of a job; None if the folder is none.

    Raises:
        RunError: if it is damaged.
    """
    return read_typed(run_dir / layout.REQUEST, _BY_KIND)
