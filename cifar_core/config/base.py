"""What all settings have in common: the base class, and the declaration of one setting."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from cifar_core.validation import describe_accepted


def setting(
    default: Any,
    group: str,
    help: str,
    *,
    step: float | None = None,
    accepted: str = "",
    **bounds: Any,
) -> Any:
    """Declares one setting.

    Args:
        group: Heading under which the form and the docs list it.
        help: One or two sentences for the form, the command line and the docs.
        step: Increment of a number's widget.
        accepted: Accepted values in words, where type and bounds do not say enough.
        bounds: pydantic's ge, gt, le, lt, min_length and pattern.
    """
    extra = {"group": group, "step": step, "accepted": accepted}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class Settings(BaseModel):
    """Base of all settings: immutable, unknown keys refused, every number finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bool_as_number(cls, value: object, info: ValidationInfo) -> object:
        """pydantic would read True as 1."""
        name = info.field_name or ""
        field = cls.model_fields[name]
        if isinstance(value, bool) and field.annotation in (int, float):
            accepted = describe_accepted(field)
            raise ValueError(f"{name} = {value} is not accepted; give {accepted}")
        return value
