"""The network of the 94% speed runs: whitened input, wide groups, no residual connections.

The architecture and its initialisation only; the runs' optimizer and augmentation are settings.
Batch norms are torch's own, with eps 1e-5 and, by default, momentum 0.1; the paper's code has eps
1e-12 and momentum 0.4, which is the setting `bn_momentum`. The smallest variance in a trained one
is 0.02, so its eps scales a channel by less than 0.03% of what the paper's does.

Sources: Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
https://arxiv.org/abs/2404.00498 (widths, scales, learnable bias of the whitening layer,
identity initialisation); fixed whitening filters and frozen batch-norm scales from Page 2018,
"How to Train Your ResNet".
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cifar_core.models import head

PATCH = 2
PATCH_DIM = 3 * PATCH * PATCH
WHITENING_IMAGES = 5000  # as many as the paper's code uses
WHITENING_EPS = 5e-4  # the paper's; keeps directions without variance from being blown up
LOGIT_SCALE = 1 / 9  # the paper's


class WhiteningConv(nn.Conv2d):
    """Fixed 2x2 filters, each with its negative, so that no half is lost to the activation."""

    def __init__(self):
        super().__init__(3, 2 * PATCH_DIM, PATCH)
        assert self.bias is not None
        nn.init.zeros_(self.bias)
        self.set_filters(nn.init.orthogonal_(torch.empty(PATCH_DIM, PATCH_DIM)))
        self.weight.requires_grad = False

    @torch.no_grad()
    def set_filters(self, filters: Tensor) -> None:
        """Takes (12, 12) filters, one a row over (channel, row, column); adds their negatives."""
        both = torch.cat((filters, -filters))
        self.weight.copy_(both.view_as(self.weight))

    def forward(self, input: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 24, H-1, W-1) float32, whatever autocast is on."""
        # torch issue 163347: a 2x2 convolution in bfloat16 on a CPU may be silently wrong.
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


class ConvGroup(nn.Module):
    """Two 3x3 convolutions, pooled after the first: (B, C, H, W) to (B, C', H/2, W/2)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.conv1 = _identity_conv(in_channels, out_channels)
        self.pool = nn.MaxPool2d(2)
        self.bn1 = _shift_only_norm(out_channels)
        self.conv2 = _identity_conv(out_channels, out_channels)
        self.bn2 = _shift_only_norm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H/2, W/2), rounded down."""
        x = F.gelu(self.bn1(self.pool(self.conv1(x))))
        return F.gelu(self.bn2(self.conv2(x)))


class SpeedNet(nn.Module):
    """Eight layers; call `init_from_data` before training to make the first one whiten."""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.whiten = WhiteningConv()
        self.layer1 = ConvGroup(2 * PATCH_DIM, 64)
        self.layer2 = ConvGroup(64, 256)
        self.layer3 = ConvGroup(256, 256)
        self.fc = head.Linear(256, num_classes, bias=False)

    def init_from_data(self, images: Tensor) -> None:
        """Sets the whitening filters from the first 5,000 images; otherwise they are random.

        Args:
            images: (N, 3, 32, 32) float32, normalized.
        """
        self.whiten.set_filters(whitening_filters(images[:WHITENING_IMAGES]))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) normalized images to (B, K) logits."""
        x = F.gelu(self.whiten(images))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.max_pool2d(x, 3).flatten(1)
        return self.fc(x) * LOGIT_SCALE


def speednet(num_classes: int = 10) -> SpeedNet:
    """The network of the speed runs."""
    return SpeedNet(num_classes)


@torch.no_grad()
def whitening_filters(images: Tensor) -> Tensor:
    """The eigenvectors of all 2x2 patches' second moments, scaled to unit response.

    Moments are about zero, as the images are normalized and the filters see them unshifted.
    The same images give the same filters on every device: float64 on the CPU, signs fixed.

    Args:
        images: (N, 3, H, W) float32, normalized.

    Returns:
        (12, 12) float32, one filter a row over (channel, row, column), largest variance first.
    """
    moments = torch.zeros(PATCH_DIM, PATCH_DIM, dtype=torch.float64)
    for chunk in images.split(500):
        patches = F.unfold(chunk.cpu().double(), PATCH).transpose(0, 1).flatten(1)  # (12, patches)
        moments += patches @ patches.T
    moments /= len(images) * (images.shape[2] - 1) * (images.shape[3] - 1)
    eigenvalues, columns = torch.linalg.eigh(moments)
    eigenvectors = columns.T.flip(0)
    # Uneven weights, since an even sum cancels on the symmetric patterns that images yield.
    weights = 0.5 ** torch.arange(PATCH_DIM, dtype=torch.float64)
    signs = torch.where(eigenvectors @ weights < 0, -1.0, 1.0)
    scales = signs / (eigenvalues.flip(0).clamp(min=0) + WHITENING_EPS).sqrt()
    return (eigenvectors * scales[:, None]).float()


def _identity_conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(conv.weight[:in_channels])
    return conv


def _shift_only_norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels)
    norm.weight.requires_grad = False
    return norm
