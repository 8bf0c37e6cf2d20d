"""The layer table of a network, measured by one forward pass; estimates no time.

Sizes follow the usual table: float32, each listed output counted twice, once for the forward and
once for the backward pass. MACs are arithmetic: convolutions and linear layers only, without bias,
activation, normalization or pooling.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

IMAGE_SHAPE = (3, 32, 32)
BYTES_PER_NUMBER = 4
MB = 2**20
# The modules that functions of a forward pass stand for.
FUNCTIONS: dict[Callable[..., Any], str] = {
    F.relu: "ReLU",
    F.gelu: "GELU",
    F.max_pool2d: "MaxPool2d",
    F.avg_pool2d: "AvgPool2d",
    F.adaptive_avg_pool2d: "AdaptiveAvgPool2d",
}


@dataclass(frozen=True)
class LayerRow:
    """One module as it ran; its children have rows of their own before it."""

    name: str  # dotted path in the model; empty for a function
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


def summarize(model: nn.Module, name: str = "", functions: bool = False) -> Summary:
    """Runs one black image through `model` and lists every module but the containers.

    The model is left as it was: training flags, gradients, buffers, no hooks. A module that runs
    twice has two rows.

    Args:
        functions: Whether activations and pooling that the network calls as functions between its
            modules have rows, too, as if they were modules; those within a block are part of it.
    """
    with _recording(model, functions) as rows, torch.no_grad():
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


class _Recorder(TorchFunctionMode):
    """Fills `rows` from hooks on the listed modules and, as a mode, from functions between them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[LayerRow] = []
        self.depth = 0  # listed modules that are running

    def listen(self, path: str, module: nn.Module) -> list[RemovableHandle]:
        """Lists a module whenever it runs, until the handles are removed."""

        def start(module: nn.Module, inputs: Any) -> None:
            self.depth += 1

        def end(module: nn.Module, inputs: Any, output: Tensor) -> None:
            self.depth -= 1
            params = sum(p.numel() for p in module.parameters(recurse=False))
            self._add(path, type(module).__name__, output, params, _macs(module, output))

        return [module.register_forward_pre_hook(start), module.register_forward_hook(end)]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if self.depth == 0 and (kind := FUNCTIONS.get(func)):
            self._add("", _whole_grid(kind, output), output)
        return output

    def _add(self, path: str, kind: str, output: Tensor, params: int = 0, macs: int = 0) -> None:
        self.rows.append(LayerRow(path, kind, tuple(output.shape[1:]), params, macs))


def _whole_grid(kind: str, output: Tensor) -> str:
    """The type of pooling; to a single cell, adaptive is plain pooling of the whole grid."""
    return kind.removeprefix("Adaptive") if output.shape[2:] == (1, 1) else kind


@contextlib.contextmanager
def _recording(model: nn.Module, functions: bool) -> Iterator[list[LayerRow]]:
    """Evaluation mode with hooks on every listed module; both undone at the end."""
    flags = [(module, module.training) for module in model.modules()]
    recorder = _Recorder()
    handles = [
        handle
        for path, module in model.named_modules()
        if module is not model and not isinstance(module, nn.Sequential | nn.ModuleList)
        for handle in recorder.listen(path, module)
    ]
    model.eval()
    try:
        with recorder if functions else contextlib.nullcontext():
            yield recorder.rows
    finally:
        for handle in handles:
            handle.remove()
        for module, training in flags:
            module.training = training


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
