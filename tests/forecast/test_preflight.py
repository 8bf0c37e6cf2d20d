"""Pre-flight: how fast a config runs here, and for which others that holds."""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cifar_core.augment import PRESETS
from cifar_core.config.train import TrainConfig, make_config
from cifar_core.errors import ConfigError, JobError, RunError
from cifar_core.forecast import forecast, measure, preflight
from cifar_core.system import runtime
from cifar_core.system.files import write_json
from cifar_core.system.locks import device_lock
from tests.waiting import LIMIT_S


def quick(**changes: Any) -> TrainConfig:
    return make_config({"model": "convnet", "batch_size": 16, "device": "cpu", **changes})


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(
    "changes",
    [{}, {"ema": 0.9, "l1": 1e-5, "val_size": 0, "epochs": 1}, {"augment": PRESETS["strong"]}],
)
def test_a_measurement_gives_speeds_and_a_time(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "ENOUGH_S", 0.0)
    config = quick(**changes)
    speed = measure.measure(config)
    assert min(speed.train, speed.evaluate, speed.device, speed.loader, speed.start_s) > 0
    assert speed.loader < float("inf")
    assert 0 <= speed.waiting < 1
    assert 5e7 < speed.memory_bytes < 5e10
    assert speed.image_bytes == 2 * 32 * 32 * 3
    assert 0 <= speed.others <= 1
    assert forecast.known_throughput(config) is None, "measuring alone notes nothing"


def test_a_config_that_cannot_run_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cpu_bf16_instructions", lambda: "")
    with pytest.raises(ConfigError):
        measure.measure(quick(precision="bf16"))


@pytest.mark.parametrize(
    "changes", [{"epochs": 7}, {"lr": 0.3}, {"seed": 5}, {"val_size": 0}, {"schedule": "cosine"}]
)
def test_a_speed_is_good_for_configs_that_differ_in_what_costs_nothing(
    changes: dict[str, Any],
) -> None:
    assert forecast.note_path(quick(**changes)) == forecast.note_path(quick())


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "sepnet_v1"},
        {"batch_size": 32},
        {"augment": PRESETS["cutout"]},
        {"precision": "fp32"},
        {"memory_format": "contiguous"},
        {"ema": 0.9},
        {"optimizer": "adamw"},
        {"num_workers": 0},
    ],
    ids=str,
)
def test_a_speed_is_not_that_of_configs_that_cost_more_or_less(changes: dict[str, Any]) -> None:
    assert forecast.note_path(quick(**changes)) != forecast.note_path(quick())


def test_a_note_is_read_again(own_cache: Path) -> None:
    config = quick()
    note = forecast.note_path(config)
    note.parent.mkdir(parents=True)
    assert forecast.known_throughput(config) is None
    speed = forecast.Throughput(100, 900, 125, 5, 300, 0.5, 3072)
    write_json(note, asdict(speed))
    assert forecast.known_throughput(config) == speed
    assert forecast.failure(config) == ""
    assert preflight.measured(config) == speed, "what is known is not measured again"
    note.write_text('{"error": "It is too large."}')
    assert forecast.known_throughput(config) is None
    assert forecast.failure(config) == "It is too large."
    for older in ('{"train": 100, "evaluate": 900}', '{"train": 100, "device": 9}', "{"):
        note.write_text(older)  # of a version that measured less, or damaged
        assert forecast.known_throughput(config) is None
        assert forecast.failure(config) == ""


@pytest.mark.usefixtures("own_cache")
def test_a_process_of_its_own_measures_and_notes() -> None:
    speed = preflight.measured(quick())
    assert speed == forecast.known_throughput(quick())


def test_the_config_is_handed_over_in_a_file_however_long_it_is(
    own_cache: Path,
) -> None:
    """Linux takes 128 KiB per argument; with a longer one a process does not even start."""
    started = preflight.start_measuring(quick(data="x" * 200_000, device="cuda:63"))
    assert started.wait(LIMIT_S) == 0
    assert "cuda:63" in forecast.failure(quick(device="cuda:63"))


def noted(config: TrainConfig, others: float) -> forecast.Throughput:
    """A speed in the cache, measured while other programs took so much of the machine."""
    speed = forecast.Throughput(100, 900, 125, 5, 300, 0.5, 3072, others=others)
    forecast.note_path(config).parent.mkdir(parents=True, exist_ok=True)
    write_json(forecast.note_path(config), asdict(speed))
    return speed


class Elsewhere:
    """Other programs that take a share of the machine which the test says."""

    used = 0.0

    def share(self) -> float:
        return self.used


@pytest.mark.usefixtures("own_cache")
def test_a_speed_measured_while_busy_is_renewed_once_the_machine_is_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preflight, "OtherPrograms", Elsewhere)
    config = quick()
    assert not preflight.is_renewable(config), "nothing is known"
    undisturbed = noted(config, 0.1)
    assert not preflight.is_renewable(config)
    assert preflight.measured(config) == undisturbed
    disturbed = noted(config, 1.0)  # whatever runs beside this test is no more
    assert (
        "while other programs used 100% of the machine"
        in forecast.forecast_from(disturbed, make_config({"data": "shapes10"})).verdict
    )
    monkeypatch.setattr(Elsewhere, "used", 0.5)
    assert not preflight.is_renewable(config), "it would be no better now"
    assert preflight.measured(config) == disturbed
    monkeypatch.setattr(Elsewhere, "used", 0.0)
    assert preflight.is_renewable(config)
    assert preflight.measured(config).train != disturbed.train


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize(("before", "now", "kept"), [(0.6, 0.2, 0.2), (0.2, 0.6, 0.2)])
def test_the_less_disturbed_measurement_is_kept(
    before: float, now: float, kept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick()
    new, note = replace(noted(config, before), train=111, others=now), forecast.note_path(config)
    monkeypatch.setattr(preflight, "measure", lambda _: new)
    write_json(preflight._config_path(note), config.model_dump(mode="json"))
    preflight.main(note)
    known = forecast.known_throughput(config)
    assert known is not None
    assert known.others == kept
    write_json(preflight._config_path(note), quick(device="cuda:63").model_dump(mode="json"))
    preflight.main(note)
    assert forecast.known_throughput(config) == known, "a failure does not replace a speed"


@pytest.mark.usefixtures("own_cache")
def test_why_nothing_could_be_measured_is_told() -> None:
    with pytest.raises(ConfigError, match=r"device = 'cuda:63' not found"):
        preflight.measured(quick(device="cuda:63"))


@pytest.mark.usefixtures("own_cache")
def test_no_speed_is_measured_beside_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "BUSY_S", 0.0)
    with device_lock("cpu"), pytest.raises(JobError, match="another job is using cpu"):
        preflight.measured(quick())


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("note", [{"error": "It is too large."}, {}])
def test_a_measurement_that_failed_says_why(
    note: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(config: TrainConfig) -> "subprocess.Popen[bytes]":
        forecast.note_path(config).parent.mkdir()
        write_json(forecast.note_path(config), note)
        return subprocess.Popen([sys.executable, "-c", ""])

    monkeypatch.setattr(preflight, "start_measuring", start)
    with pytest.raises(RunError, match=note.get("error", "killed, perhaps because memory ran out")):
        preflight.measured(quick())


@pytest.mark.parametrize("taken", [0.01, 0.03])
def test_the_time_of_a_batch_is_that_from_one_to_the_next(taken: float) -> None:
    config = quick(batch_size=128)
    batches = SimpleNamespace(config=config, runtime=SimpleNamespace(device="cpu"))
    paced = measure._Paced(cast(Any, batches), itertools.repeat(cast(Any, None)))
    began = time.perf_counter()
    count = sum(time.sleep(taken) is None for _ in paced)
    spent = time.perf_counter() - began
    assert measure.FEWEST <= count <= measure.MOST
    assert taken <= paced.seconds <= spent / count + 1e-3


def test_times_are_taken_in_turns_and_the_shortest_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "ENOUGH_S", 0.05)
    asked: list[str] = []

    def clock(name: str, times: list[float]) -> Callable[[], float]:
        found = itertools.chain(times, itertools.repeat(9.0))
        return lambda: asked.append(name) or time.sleep(0.01) or next(found)

    shortest = measure._shortest(clock("a", [3, 1, 2]), clock("b", [4, 5, 6]))
    assert shortest == (1, 4)
    assert asked == ["a", "b"] * (len(asked) // 2)


@pytest.mark.parametrize(
    ("changes", "early"),
    [
        ({}, 0),
        ({"augment": PRESETS["strong"]}, 4),
        ({"augment": PRESETS["strong"], "num_workers": 0}, 0),
        ({"augment": PRESETS["strong"], "num_workers": 64, "batch_size": 5000}, 10),
    ],
)
def test_batches_that_workers_fetch_early_are_left_out(changes: dict[str, Any], early: int) -> None:
    assert measure._fetched_early(quick(**changes)) == early
