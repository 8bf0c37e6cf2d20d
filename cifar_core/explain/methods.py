"""The ways in which a map of what a network looked at can be made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """A way to weigh a layer's channels.

    Attributes:
        library: The class in pytorch-grad-cam.
        uses_class: Whether the map depends on the class asked about.
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
        "Weighs each channel by its mean gradient; the usual reference.",
        "Selvaraju et al. 2016, https://arxiv.org/abs/1610.02391",
    ),
    "GradCAM++": Method(
        "GradCAMPlusPlus",
        "Weighs by rising gradients only, so that several objects of a class all show.",
        "Chattopadhyay et al. 2017, https://arxiv.org/abs/1710.11063",
    ),
    "HiResCAM": Method(
        "HiResCAM",
        "Multiplies gradient and activation cell by cell; shows no place that was not used.",
        "Draelos & Carin 2020, https://arxiv.org/abs/2011.08891",
    ),
    "LayerCAM": Method(
        "LayerCAM",
        "Keeps only positive gradients, cell by cell; sharp in early layers too.",
        "Jiang et al. 2021, https://ieeexplore.ieee.org/document/9462463",
    ),
    "XGradCAM": Method(
        "XGradCAM",
        "Weighs each channel by its gradient where it is active.",
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
        "Weighs each channel by the score of the image seen through it; needs no gradient.",
        "Wang et al. 2019, https://arxiv.org/abs/1910.01279",
        uses_gradients=False,
        slow=True,
    ),
    "AblationCAM": Method(
        "AblationCAM",
        "Weighs each channel by what the score loses without it; needs no gradient.",
        "Desai & Ramaswamy 2020, https://ieeexplore.ieee.org/document/9093360",
        uses_gradients=False,
        slow=True,
    ),
}
# For comparison only: a map that looks like this one says nothing.
RANDOM = "RandomCAM"
RANDOM_METHOD = Method(
    "RandomCAM",
    "Weighs each channel by chance, by a fixed seed.",
    "https://github.com/jacobgil/pytorch-grad-cam",
    uses_class=False,
)
