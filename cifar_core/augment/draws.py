"""What chance decided for one operation and one batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cifar_core.augment.spec import Operation


@dataclass(frozen=True)
class Draw:
    """What chance decided for one operation and one batch.

    Attributes:
        fired: (B,) bool, on which images the operation acts.
        x, y: (B,) int64, where: window offset of a crop, corner of a cutout; zeros for a flip.
    """

    operation: Operation
    fired: Tensor
    x: Tensor
    y: Tensor

    def to(self, device: torch.device) -> "Draw":
        """The same draw on another device."""
        moved = (part.to(device, non_blocking=True) for part in (self.fired, self.x, self.y))
        return Draw(self.operation, *moved)
