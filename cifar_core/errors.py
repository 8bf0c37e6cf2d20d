"""Errors the user can fix; everything else is a bug and keeps its traceback."""


class CifarCoreError(Exception):
    """Base of all errors shown as one sentence: what was wrong, the value, what to do next."""


class ConfigError(CifarCoreError):
    """A setting is unknown, of the wrong type or out of bounds."""


class DataError(CifarCoreError):
    """A data set is missing, damaged, not the expected one, or could not be downloaded."""


class RunError(CifarCoreError):
    """A run cannot be found, started, renamed, changed or deleted."""


class JobError(RunError):
    """A job that a command waited for did not complete."""


class CheckpointError(CifarCoreError):
    """A checkpoint is missing, damaged, or belongs to another model."""


class TrainingError(CifarCoreError):
    """Training cannot continue, for example because the loss is not finite."""
