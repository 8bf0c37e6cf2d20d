"""The loss of a batch: cross-entropy, or the focal loss."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cifar_core.config.train import TrainConfig


def batch_loss(config: TrainConfig, logits: Tensor, targets: Tensor) -> Tensor:
    """() float32 mean loss of a batch, without the L1 penalty.

    Cross-entropy of logits is NLL of their log-softmax, the same number; so NLL is no choice.

    Args:
        logits: (B, K) float.
        targets: (B,) int64 classes, or (B, K) float shares as MixUp and CutMix give them.
    """
    if config.loss == "focal":
        return focal_loss(logits.float(), targets, config.focal_gamma, config.label_smoothing)
    return F.cross_entropy(logits.float(), targets, label_smoothing=config.label_smoothing)


def focal_loss(logits: Tensor, targets: Tensor, gamma: float, smoothing: float = 0.0) -> Tensor:
    """() mean of -(1 - p)^gamma log p, p the softmax probability of the target class.

    A soft target is a weighted mean of classes, and its loss the mean of their losses; gamma = 0
    is cross-entropy for every target. All classes weigh the same.

    Source: Lin et al. 2017, https://arxiv.org/abs/1708.02002, equation 4, for K classes.
    torchvision's sigmoid_focal_loss is the one for K separate yes/no questions, as in detection.

    Args:
        logits: (B, K) float.
        targets: (B,) int64 classes, or (B, K) float shares.
        smoothing: Share of each target spread over all classes, as `F.cross_entropy` has it.
    """
    num_classes = logits.shape[1]
    shares = F.one_hot(targets, num_classes).to(logits) if targets.ndim == 1 else targets
    shares = (1 - smoothing) * shares + smoothing / num_classes
    log_probs = F.log_softmax(logits, dim=1)
    # Kept above 0, where a power below 1 has an infinite slope, which times log p = 0 is no number.
    doubts = (-torch.expm1(log_probs)).clamp_min(torch.finfo(logits.dtype).tiny)
    return -(shares * doubts**gamma * log_probs).sum(dim=1).mean()
