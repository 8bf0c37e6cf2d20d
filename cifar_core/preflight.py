"""How fast a config runs on this machine: a few measured steps on made-up images.

`python -m cifar_core.preflight NOTE CONFIG` measures a config given as JSON and writes the speeds
to NOTE. Pages start it and read the note; they measure nothing themselves.
"""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from filelock import Timeout

from cifar_core.config import TrainConfig
from cifar_core.errors import CifarCoreError, JobError, RunError
from cifar_core.fields import parse_json
from cifar_core.files import write_json
from cifar_core.forecast import Speed, failure, known_speed, note_path
from cifar_core.measuring import measure
from cifar_core.processes import lower_priority, spawn
from cifar_core.runtime import decide, probe
from cifar_core.turns import device_lock

BUSY_S = 30.0  # another measurement has ended by then, a training has not


def start_measuring(config: TrainConfig) -> "subprocess.Popen[bytes]":
    """Starts a measurement of low priority; `known_speed` will know its result."""
    note_path(config).unlink(missing_ok=True)  # of an earlier failure
    return spawn("cifar_core.preflight", str(note_path(config)), config.model_dump_json())


def measured(config: TrainConfig) -> Speed:
    """The speed of such a config; if it is not known, a process of its own measures it first.

    Raises:
        CifarCoreError: if the config cannot run here, or another job does.
    """
    if known_speed(config) is None:
        _wait_for(decide(probe(), config.device, config.precision, config.memory_format).device)
        process = start_measuring(config)
        try:
            process.wait()
        finally:
            process.terminate()  # when whoever waits gave up
        if why := failure(config):
            raise RunError(why)
    if speed := known_speed(config):
        return speed
    raise JobError(
        "The speed could not be measured: the process that should do so was killed, perhaps for "
        "want of memory. Take a smaller batch_size or model."
    )


def _wait_for(device: str) -> None:
    try:
        with device_lock(device).acquire(timeout=BUSY_S):
            pass
    except Timeout:
        raise JobError(
            f"No estimate now: another job computes on {device}. Stop it or wait until it has "
            "ended; `python -m cifar_core runs list` names it."
        ) from None


def main(note: Path, config: str) -> None:
    """Measures a config given as JSON and writes the note."""
    lower_priority(5)
    note.parent.mkdir(parents=True, exist_ok=True)
    try:
        read = parse_json(TrainConfig, config, "config")
        device = decide(probe(), read.device, read.precision, read.memory_format).device
        with device_lock(device):
            write_json(note, asdict(measure(read)))
    except CifarCoreError as error:
        write_json(note, {"error": str(error)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
