"""Two fully convolutional networks under 200,000 parameters, with separable convolutions.

Downsampling is by strided convolution, the last stage is dilated, the classifier is a
convolution averaged over space. ReLU is a module here, so the layer tables list it.

Sources: depthwise-separable convolution, Howard et al. 2017, https://arxiv.org/abs/1704.04861;
dilation, Yu & Koltun 2015, https://arxiv.org/abs/1511.07122; strides in place of pooling,
Springenberg et al. 2014, https://arxiv.org/abs/1412.6806; averaged class maps, Lin et al. 2013,
https://arxiv.org/abs/1312.4400.
"""

from torch import Tensor, nn

from cifar_core.models import head

# Networks this small underfit CIFAR-10 before they overfit it, so dropout only tempers them.
DROPOUT = 0.05


class SepNetV1(nn.Module):
    """Plain convolutions, one grouped; whole channels are dropped after each downsampling."""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.layer1 = nn.Sequential(
            *_conv_bn_relu(3, 20),
            *_conv_bn_relu(20, 32),
            *_conv_bn_relu(32, 64, stride=2),
            nn.Dropout2d(DROPOUT),
        )
        self.layer2 = nn.Sequential(
            *_conv_bn_relu(64, 128),
            nn.Conv2d(128, 128, 3, padding=1, groups=64),
            nn.Conv2d(128, 64, 1),
            nn.ReLU(),
            *_conv_bn_relu(64, 32, stride=2),
            nn.Dropout2d(DROPOUT),
        )
        self.layer3 = nn.Sequential(
            *_conv_bn_relu(32, 64, dilation=2),
            *_conv_bn_relu(64, 32),
            *_conv_bn_relu(32, 32, stride=2),
            nn.Dropout2d(DROPOUT),
        )
        self.layer4 = nn.Sequential(*_conv_bn_relu(32, 16))
        self.head = head.Conv2d(16, num_classes, 3, padding=1)
        self.global_pool = nn.AvgPool2d(3)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) normalized images to (B, K) logits."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(images))))
        return self.global_pool(self.head(x)).flatten(1)


class SepNetV2(nn.Module):
    """Depthwise-separable convolutions throughout, between two strided plain ones."""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.layer1 = nn.Sequential(
            *_conv_bn_relu(3, 32), nn.Dropout(DROPOUT), *_separable(32, 128)
        )
        self.transition1 = nn.Conv2d(128, 64, 3, stride=2, padding=1, bias=False)
        self.layer2 = nn.Sequential(*_separable(64, 128), *_separable(128, 128))
        self.transition2 = nn.Conv2d(128, 64, 3, stride=2, padding=1, bias=False)
        self.layer3 = nn.Sequential(
            *_separable(64, 64), *_separable(64, 64), *_separable(64, 64, dilation=2)
        )
        self.global_pool = nn.AvgPool2d(6)
        self.head = head.Conv2d(64, num_classes, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) normalized images to (B, K) logits."""
        x = self.transition1(self.layer1(images))
        x = self.transition2(self.layer2(x))
        x = self.global_pool(self.layer3(x))
        return self.head(x).flatten(1)


def sepnet_v1(num_classes: int = 10) -> SepNetV1:
    """The network of plain convolutions with one grouped one."""
    return SepNetV1(num_classes)


def sepnet_v2(num_classes: int = 10) -> SepNetV2:
    """The network of depthwise-separable convolutions."""
    return SepNetV2(num_classes)


def _conv_bn_relu(
    in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1
) -> list[nn.Module]:
    # Padding stays 1 under dilation 2 as well: there the map shrinks from 8x8 to 6x6.
    return [
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, dilation=dilation),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    ]


def _separable(in_channels: int, out_channels: int, dilation: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(
            in_channels,
            in_channels,
            3,
            padding=1,
            dilation=dilation,
            groups=in_channels,
            bias=False,
        ),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.ReLU(),
        nn.BatchNorm2d(out_channels),
        nn.Dropout(DROPOUT),
    ]
