"""The random draws of one operation for one batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cifar_core.augment.spec import Operation


@dataclass(frozen=True)
class Draw:
    """The random draws of one operation for one batch.

    Attributes:
        applied: (B,) bool, the images that the operation is applied to.
        x, y: (B,) int64, window offset of a crop, corner of a cutout; zeros for a flip.
    """

    operation: Operation
    applied: Tensor
    x: Tensor
    y: Tensor

    def to(self, device: torch.device) -> "Draw":
        """The same draw on another device."""
        moved = (part.to(device, non_blocking=True) for part in (self.applied, self.x, self.y))
        return Draw(self.operation, *moved)
