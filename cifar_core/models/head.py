"""Last layers that evaluate in float32, also where autocast runs the rest in bfloat16.

bfloat16 has 8 bits of precision: logits that are rounded to it tie, and a tie goes to the class
with the lower number. In training the rounding is as good as noise, and costs less.
"""

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`nn.Linear` that evaluates in float32."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, D) features to (B, K) logits; float32 in evaluation mode."""
        if self.training:
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` that evaluates in float32."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, D, H, W) features to (B, K, H', W') logits; float32 in evaluation mode."""
        if self.training:
            return super().forward(input)
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())
