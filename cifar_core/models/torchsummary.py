"""A layer table in the text of torchsummary, for those who compare with one of it.

Source of the text: torchsummary 1.5.1, https://github.com/sksq96/pytorch-summary. It differs
where a layer's weight is frozen and its bias is not: torchsummary calls both non-trainable.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cifar_core.models.summary import Summary

RULE, DOUBLE_RULE = "-" * 64, "=" * 64


def format_torchsummary(summary: "Summary") -> str:
    """The summary as torchsummary prints it for one image: layers are numbered, not named."""
    lines = [
        _line(f"{row.type}-{number}", str([-1, *row.output_shape]), f"{row.params:,}")
        for number, row in enumerate(summary.rows, start=1)
    ]
    heading = _line("Layer (type)", "Output Shape", "Param #")
    return "\n".join([RULE, heading, DOUBLE_RULE, *lines, DOUBLE_RULE, *_totals(summary)])


def _line(layer: str, shape: str, params: str) -> str:
    return f"{layer:>20}  {shape:>25} {params:>15}"


def _totals(summary: "Summary") -> list[str]:
    return [
        f"Total params: {summary.total_params:,}",
        f"Trainable params: {summary.trainable_params:,}",
        f"Non-trainable params: {summary.total_params - summary.trainable_params:,}",
        RULE,
        f"Input size (MB): {summary.input_mb:.2f}",
        f"Forward/backward pass size (MB): {summary.forward_backward_mb:.2f}",
        f"Params size (MB): {summary.params_mb:.2f}",
        f"Estimated Total Size (MB): {summary.total_mb:.2f}",
        RULE,
    ]
