"""The CAM methods, with their sources."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A CAM method: how it weights the channels of a layer.

    Attributes:
        library: The class in pytorch-grad-cam.
        uses_class: Whether the map depends on the target class.
        uses_gradients: Whether it needs a backward pass.
        slow: Whether it needs a forward pass for each channel.
    """

    library: str
    about: str
    source: str
    uses_class: bool = True
    uses_gradients: bool = True
    slow: bool = False


METHODS: dict[str, Method] = {
    "GradCAM": Method(
        "GradCAM",
        "Weights each channel by its mean gradient; the usual baseline.",
        "Selvaraju et al. 2016, https://arxiv.org/abs/1610.02391",
    ),
    "GradCAM++": Method(
        "GradCAMPlusPlus",
        "Weights by positive gradients only, so that several objects of a class all appear.",
        "Chattopadhyay et al. 2017, https://arxiv.org/abs/1710.11063",
    ),
    "HiResCAM": Method(
        "HiResCAM",
        "Multiplies gradient and activation element-wise; shows only regions that the model used.",
        "Draelos & Carin 2020, https://arxiv.org/abs/2011.08891",
    ),
    "LayerCAM": Method(
        "LayerCAM",
        "Uses positive gradients element-wise; sharp in early layers too.",
        "Jiang et al. 2021, https://ieeexplore.ieee.org/document/9462463",
    ),
    "XGradCAM": Method(
        "XGradCAM",
        "Weights each channel by its activation-weighted gradient.",
        "Fu et al. 2020, https://arxiv.org/abs/2008.02312",
    ),
    "EigenCAM": Method(
        "EigenCAM",
        "Shows the activations' first principal component; the same for every class.",
        "Muhammad & Yeasin 2020, https://arxiv.org/abs/2008.00299",
        uses_class=False,
        uses_gradients=False,
    ),
    "ScoreCAM": Method(
        "ScoreCAM",
        "Weights each channel by the score of the image masked with it; needs no gradient.",
        "Wang et al. 2019, https://arxiv.org/abs/1910.01279",
        uses_gradients=False,
        slow=True,
    ),
    "AblationCAM": Method(
        "AblationCAM",
        "Weights each channel by the drop of the score without it; needs no gradient.",
        "Desai & Ramaswamy 2020, https://ieeexplore.ieee.org/document/9093360",
        uses_gradients=False,
        slow=True,
    ),
}
# For comparison only: a map that looks like a random one explains nothing.
RANDOM = "RandomCAM"
RANDOM_METHOD = Method(
    "RandomCAM",
    "Weights each channel at random, with a fixed seed.",
    "https://github.com/jacobgil/pytorch-grad-cam",
    uses_class=False,
)
