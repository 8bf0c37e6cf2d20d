"""The layer table of a network, measured by one forward pass; estimates no time.

Sizes follow the usual table: float32, each listed output counted twice, once for the forward and
once for the backward pass. MACs are arithmetic: convolutions and linear layers only, without bias,
activation, normalization or pooling.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

IMAGE_SHAPE = (3, 32, 32)
BYTES_PER_NUMBER = 4
MB = 2**20


@dataclass(frozen=True)
class LayerRow:
    """One module as it ran; its children have rows of their own before it."""

    name: str  # dotted path in the model
    type: str
    output_shape: tuple[int, ...]  # without the batch
    params: int  # this module's own, not its children's
    macs: int  # per image


@dataclass(frozen=True)
class Summary:
    """The rows in the order of execution, and their totals for one image; MB are 2^20 bytes."""

    name: str
    rows: tuple[LayerRow, ...]
    total_params: int
    trainable_params: int
    macs: int
    input_mb: float
    forward_backward_mb: float
    params_mb: float
    total_mb: float


def summarize(model: nn.Module, name: str = "") -> Summary:
    """Runs one black image through `model` and lists every module but the containers.

    The model is left as it was: training flags, gradients, buffers, no hooks. A module that runs
    twice has two rows.
    """
    rows: list[LayerRow] = []
    with _recording(model, rows), torch.no_grad():
        parameter = next(model.parameters())
        model(torch.zeros(1, *IMAGE_SHAPE, device=parameter.device, dtype=parameter.dtype))
    total_params = sum(p.numel() for p in model.parameters())
    input_mb = _megabytes(prod(IMAGE_SHAPE))
    forward_backward_mb = _megabytes(2 * sum(prod(row.output_shape) for row in rows))
    params_mb = _megabytes(total_params)
    return Summary(
        name=name or type(model).__name__,
        rows=tuple(rows),
        total_params=total_params,
        trainable_params=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=sum(row.macs for row in rows),
        input_mb=input_mb,
        forward_backward_mb=forward_backward_mb,
        params_mb=params_mb,
        total_mb=input_mb + forward_backward_mb + params_mb,
    )


def summary_json(summary: Summary) -> dict[str, Any]:
    """The summary as plain values for `json.dumps`."""
    return asdict(summary)


def format_summary(summary: Summary) -> str:
    """The summary as an aligned text table with its totals below."""
    header = ("Layer", "Type", "Output shape", "Params", "MMAC")
    cells = [header, *(_cells(row) for row in summary.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    table = [_aligned(line, widths) for line in cells]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([summary.name, rule, table[0], rule, *table[1:], rule, *_totals(summary)])


@contextmanager
def _recording(model: nn.Module, rows: list[LayerRow]) -> Iterator[None]:
    """Evaluation mode with a hook on every listed module; both undone at the end."""
    flags = [(module, module.training) for module in model.modules()]
    handles = [
        module.register_forward_hook(
            lambda module, _, output, path=path: rows.append(_row(path, module, output))
        )
        for path, module in model.named_modules()
        if module is not model and not isinstance(module, nn.Sequential | nn.ModuleList)
    ]
    model.eval()
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, training in flags:
            module.training = training


def _row(path: str, module: nn.Module, output: Tensor) -> LayerRow:
    return LayerRow(
        name=path,
        type=type(module).__name__,
        output_shape=tuple(output.shape[1:]),
        params=sum(p.numel() for p in module.parameters(recurse=False)),
        macs=_macs(module, output),
    )


def _macs(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, nn.Conv2d):
        inputs_per_output = module.in_channels // module.groups * prod(module.kernel_size)
        return output.numel() * inputs_per_output
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    return 0


def _megabytes(numbers: int) -> float:
    return numbers * BYTES_PER_NUMBER / MB


def _cells(row: LayerRow) -> tuple[str, ...]:
    shape = " × ".join(map(str, row.output_shape))
    mmac = f"{row.macs / 1e6:,.3f}" if row.macs else ""
    return row.name, row.type, shape, f"{row.params:,}", mmac


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(line[:3], widths[:3], strict=True)]
    right = [cell.rjust(width) for cell, width in zip(line[3:], widths[3:], strict=True)]
    return "  ".join(left + right).rstrip()


def _totals(summary: Summary) -> list[str]:
    return [
        f"Parameters: {summary.total_params:,} ({summary.trainable_params:,} trainable)",
        f"Multiply-accumulates of convolutions and linear layers: {summary.macs / 1e6:,.2f} M",
        f"Input: {summary.input_mb:,.2f} MB",
        f"Forward and backward pass: {summary.forward_backward_mb:,.2f} MB",
        f"Parameters in float32: {summary.params_mb:,.2f} MB",
        f"Total: {summary.total_mb:,.2f} MB",
    ]
