"""A small network from three kinds of block, made to learn visibly within minutes on a CPU.

Sources: depthwise-separable convolution, Howard et al. 2017, https://arxiv.org/abs/1704.04861;
transitions between resolutions, Huang et al. 2016, https://arxiv.org/abs/1608.06993; global
average pooling, Lin et al. 2013, https://arxiv.org/abs/1312.4400.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core.models import head


class ConvBlock(nn.Module):
    """3x3 convolution, batch norm, ReLU: (B, C, H, W) to (B, C', H, W)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H, W), not negative."""
        return F.relu(self.bn(self.conv(x)))


class TransitionBlock(nn.Module):
    """Halves the resolution, mixes the channels: (B, C, H, W) to (B, C', H/2, W/2)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H/2, W/2), not negative."""
        # Pooling first makes the convolution four times cheaper.
        return F.relu(self.bn(self.conv(F.max_pool2d(x, 2))))


class SeparableBlock(nn.Module):
    """Depthwise 3x3, then pointwise convolution: (B, C, H, W) to (B, C', H, W)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False
        )
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H, W), not negative."""
        x = F.relu(self.bn1(self.depthwise(x)))
        return F.relu(self.bn2(self.pointwise(x)))


class ConvNet(nn.Module):
    """Only the stem works at 32x32: on a CPU, memory traffic there costs more than arithmetic."""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.stem = ConvBlock(3, 24)
        self.transition1 = TransitionBlock(24, 32)
        self.layer1 = ConvBlock(32, 64)
        self.layer2 = SeparableBlock(64, 64)
        self.transition2 = TransitionBlock(64, 96)
        self.layer3 = ConvBlock(96, 96)
        self.layer4 = SeparableBlock(96, 128)
        self.layer5 = SeparableBlock(128, 128)
        self.fc = head.Linear(128, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # fan_in, since fan_out ignores groups and would all but silence depthwise filters.
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) normalized images to (B, K) logits."""
        x = self.transition1(self.stem(images))
        x = self.transition2(self.layer2(self.layer1(x)))
        x = self.layer5(self.layer4(self.layer3(x)))
        return self.fc(x.mean(dim=(2, 3)))


def convnet(num_classes: int = 10) -> ConvNet:
    """The small network."""
    return ConvNet(num_classes)
