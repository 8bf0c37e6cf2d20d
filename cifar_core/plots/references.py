"""Published test accuracies on CIFAR-10, as reference lines."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A published test accuracy, 0..1, and its source."""

    label: str
    acc: float
    source: str


REFERENCES = (
    Reference("ResNet-18, 20 epochs", 0.9124, "as published for the recipe s11_resnet18"),
    Reference("ResNet-18, 200 epochs", 0.9302, "kuangliu/pytorch-cifar, table of its README"),
    Reference(
        "airbench94, 9.9 epochs, TTA (six views)", 0.9401, "KellerJordan/cifar10-airbench, README"
    ),
)
