"""How fast a config runs on this machine: a few measured steps on made-up images.

`python -m cifar_core.forecast.preflight NOTE` measures the config in the file beside NOTE and
writes the speeds to NOTE. Pages start it and read the note; they measure nothing themselves.
"""

import contextlib
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from filelock import Timeout

from cifar_core.config.train import TrainConfig
from cifar_core.errors import CifarCoreError, JobError, RunError
from cifar_core.forecast.forecast import (
    DISTURBED,
    Throughput,
    failure,
    known_throughput,
    note_path,
    read_throughput,
)
from cifar_core.forecast.measure import measure
from cifar_core.system.files import read_json, write_json
from cifar_core.system.locks import device_lock
from cifar_core.system.processes import lower_priority, spawn
from cifar_core.system.runtime import probe, resolve_runtime
from cifar_core.system.utilization import OtherPrograms
from cifar_core.validation import validated

LOOK_S = 0.3  # at what other programs do
BUSY_S = 30.0  # another measurement has ended by then, a training has not


def start_measuring(config: TrainConfig) -> "subprocess.Popen[bytes]":
    """Starts a measurement of low priority; `known_throughput` will know its result."""
    note = note_path(config)
    if known_throughput(config) is None:
        note.unlink(missing_ok=True)  # of an earlier failure
    note.parent.mkdir(parents=True, exist_ok=True)
    write_json(_config_path(note), config.model_dump(mode="json"))
    return spawn("cifar_core.forecast.preflight", str(note))


def _config_path(note: Path) -> Path:
    """Where the process finds the config: as an argument it may be longer than the system takes."""
    return note.with_suffix(".config")


def is_renewable(config: TrainConfig) -> bool:
    """Whether the known speed of such a config was measured beside other programs that are gone.

    Takes a moment to see that they are, where they were there.
    """
    speed = known_throughput(config)
    if speed is None or not speed.disturbed:
        return False
    programs = OtherPrograms()
    time.sleep(LOOK_S)
    return programs.share() < DISTURBED


def measured(config: TrainConfig) -> Throughput:
    """The speed of such a config; if it is not known, a process of its own measures it first.

    So it does if other programs disturbed the measurement and are gone.

    Raises:
        CifarCoreError: if the config cannot run here, or another job does.
    """
    if known_throughput(config) is None:
        _measure_and_wait(config)
        if why := failure(config):
            raise RunError(why)
    elif is_renewable(config):
        with contextlib.suppress(CifarCoreError):  # the speed that is known stays
            _measure_and_wait(config)
    if speed := known_throughput(config):
        return speed
    raise JobError(
        "The throughput could not be measured: the process was killed, perhaps because memory ran "
        "out. Choose a smaller batch_size or model."
    )


def _measure_and_wait(config: TrainConfig) -> None:
    _wait_for(
        resolve_runtime(probe(), config.device, config.precision, config.memory_format).device
    )
    process = start_measuring(config)
    try:
        process.wait()
    finally:
        process.terminate()  # when whoever waits gave up


def _wait_for(device: str) -> None:
    try:
        with device_lock(device).acquire(timeout=BUSY_S):
            pass
    except Timeout:
        raise JobError(
            f"No estimate now: another job is using {device}. Stop it or wait until it ends; "
            "`python -m cifar_core runs list` shows it."
        ) from None


def main(note: Path) -> None:
    """Measures the config beside the note and writes the note."""
    lower_priority(5)
    try:
        read = validated(TrainConfig, read_json(_config_path(note)))
        device = resolve_runtime(probe(), read.device, read.precision, read.memory_format).device
        with device_lock(device):
            speed = measure(read)
        known = read_throughput(note)
        if known is None or speed.others <= known.others:
            write_json(note, asdict(speed))
    except CifarCoreError as error:
        if read_throughput(note) is None:
            write_json(note, {"error": str(error)})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
