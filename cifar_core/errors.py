"""The errors that are the user's to mend; everything else is a bug and stays a traceback."""


class CifarCoreError(Exception):
    """Base of all errors shown as one sentence: what was wrong, the value, what to do next."""


class ConfigError(CifarCoreError):
    """A setting is unknown, of the wrong kind or out of its bounds."""


class DataError(CifarCoreError):
    """A data set is missing, damaged, not the one expected, or could not be downloaded."""


class RunError(CifarCoreError):
    """A run cannot be found, started, named, changed or removed as asked."""


class JobError(RunError):
    """A job that a command waited for did not complete."""


class CheckpointError(CifarCoreError):
    """A checkpoint is missing, damaged or of another model."""


class TrainingError(CifarCoreError):
    """Training cannot go on, for example because the loss is no longer a number."""
