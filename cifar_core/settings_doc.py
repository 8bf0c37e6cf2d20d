"""python -m cifar_core.settings_doc > docs/settings.md: the table of all settings."""

import sys

from cifar_core.config import GROUPS, TrainConfig
from cifar_core.fields import bounds, choices, describe_accepted
from cifar_core.models import MODELS

_HEAD = """# Settings

Every setting of a run. The form, the command line (`--batch-size 64`), the JSON of a run and this
page are made from the same fields; unknown keys are refused.
"""


def settings_doc() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for group in GROUPS:
        parts.append(
            f"\n## {group}\n\n| setting | default | accepted | |\n| --- | --- | --- | --- |\n"
        )
        for name, field in TrainConfig.model_fields.items():
            extra = field.json_schema_extra
            if isinstance(extra, dict) and extra["group"] == group:
                accepted = _accepted(name)
                parts.append(f"| `{name}` | {field.default} | {accepted} | {field.description} |\n")
    return "".join(parts)


def _accepted(name: str) -> str:
    if name == "model":
        return "one of " + ", ".join(MODELS)
    field = TrainConfig.model_fields[name]
    if choices(field) or bounds(field) != (None, None) or name == "device":
        return describe_accepted(field)
    return {"augment": "a preset, JSON, or its file", "tensorboard": "true or false"}.get(
        name, "text"
    )


if __name__ == "__main__":
    sys.stdout.write(settings_doc())
