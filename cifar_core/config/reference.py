"""python -m cifar_core.config.reference > docs/settings.md: the table of all settings."""

import sys
from collections.abc import Iterator

from pydantic import BaseModel

from cifar_core.config.lr_test import GROUP, LRTestConfig
from cifar_core.config.train import GROUPS, TrainConfig
from cifar_core.validation import describe_accepted

_HEAD = """# Settings

Every setting of a run, then those of an LR test. The form, the command line (`--batch-size 64`),
a run's JSON and this page are generated from the same fields; unknown keys are refused.
"""


def settings_doc() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for group in GROUPS:
        parts += _table(group, TrainConfig)
    parts += _table(GROUP, LRTestConfig)
    return "".join(parts)


def _table(group: str, model: type[BaseModel]) -> Iterator[str]:
    """Heading, table head and rows of a group."""
    yield f"\n## {group}\n\n| setting | default | accepted | meaning |\n| --- | --- | --- | --- |\n"
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra["group"] == group:
            default = field.default
            yield f"| `{name}` | {default} | {describe_accepted(field)} | {field.description} |\n"


if __name__ == "__main__":
    sys.stdout.write(settings_doc())
