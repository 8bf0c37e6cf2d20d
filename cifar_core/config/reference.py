"""python -m cifar_core.config.reference > docs/settings.md: the table of all settings."""

import sys
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cifar_core.config.lr_test import GROUP, LRTestConfig
from cifar_core.config.train import GROUPS, TrainConfig
from cifar_core.models import MODELS
from cifar_core.validation import describe_accepted

_HEAD = """# Settings

All settings of a run and of an LR test. The form, the command line (`--batch-size 64`), the JSON of
a run and this page are generated from the same fields; unknown keys are rejected.
"""


def settings_doc() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for group in GROUPS:
        parts += _table(group, TrainConfig)
    parts += _table(GROUP, LRTestConfig)
    return "".join(parts)


def _table(group: str, model: type[BaseModel]) -> Iterator[str]:
    """The rows of a group."""
    yield f"\n## {group}\n\n| setting | default | accepted | meaning |\n| --- | --- | --- | --- |\n"
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra["group"] == group:
            accepted = _accepted(name, field)
            yield f"| `{name}` | {field.default} | {accepted} | {field.description} |\n"


def _accepted(name: str, field: FieldInfo) -> str:
    if name == "model":
        return "one of " + ", ".join(MODELS)
    return "a preset, JSON, or its file" if name == "augment" else describe_accepted(field)


if __name__ == "__main__":
    sys.stdout.write(settings_doc())
