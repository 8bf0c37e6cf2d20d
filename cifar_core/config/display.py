"""Settings as text: all of a run, and those in which runs differ."""

from cifar_core.config.train import TrainConfig


def difference(configs: list[TrainConfig]) -> dict[str, list[str]]:
    """The settings in which the configs differ: name -> the value of each, as text."""
    tables = [display_values(config) for config in configs]
    return {
        name: [table[name] for table in tables]
        for name in TrainConfig.model_fields
        if len({table[name] for table in tables}) > 1
    }


def display_values(config: TrainConfig) -> dict[str, str]:
    """Each setting as text for display."""
    values = {name: str(getattr(config, name)) for name in TrainConfig.model_fields}
    return {**values, "augment": f"{config.augment} [{config.augment.digest[:12]}]"}
