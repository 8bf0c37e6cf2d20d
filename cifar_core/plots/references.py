"""What others reached on the test images of CIFAR-10, to draw beside a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A published test accuracy, 0..1, and where it stands."""

    label: str
    acc: float
    source: str


REFERENCES = (
    Reference("ResNet-18, 20 epochs", 0.9124, "as published for the recipe s11_resnet18"),
    Reference("ResNet-18, 200 epochs", 0.9302, "kuangliu/pytorch-cifar, table of its README"),
    Reference(
        "airbench94, 10 epochs, flips averaged", 0.9401, "KellerJordan/cifar10-airbench, README"
    ),
)
