"""A value other than the default of each setting of a run."""

from typing import Any

from cifar_core.augment import preset

OTHER_SETTINGS: dict[str, Any] = {
    "data": "shapes10",
    "train_size": 1000,
    "val_size": 0,
    "normalization": "separate",
    "model": "sepnet_v1",
    "weights": "first",
    "augment": preset("strong"),
    "epochs": 7,
    "batch_size": 96,
    "optimizer": "adamw",
    "lr": 0.0123,
    "momentum": 0.85,
    "weight_decay": 1e-3,
    "bn_momentum": 0.4,
    "l1": 1e-5,
    "loss": "focal",
    "focal_gamma": 1.5,
    "label_smoothing": 0.1,
    "ema": 0.999,
    "schedule": "cosine",
    "pct_start": 0.2,
    "base_momentum": 0.8,
    "step_epochs": 3,
    "gamma": 0.5,
    "device": "cuda:1",
    "precision": "fp32",
    "memory_format": "contiguous",
    "num_workers": 0,
    "seed": 2**31 - 1,
    "keep_epochs": 3,
    "compile": True,
    "tensorboard": True,
}
