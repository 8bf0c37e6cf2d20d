"""What make run starts: an app that ends with the process that started it."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cifar_core.system.paths import repository
from tests.waiting import LIMIT_S, wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there kill sends no signal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_app_ends_with_the_process_that_started_it(number: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-m", "cifar_core.serve", "--no-browser", "--port", str(port)]
    with subprocess.Popen(command, cwd=repository()) as process:
        try:
            wait_until(lambda: is_open(port))
            children = psutil.Process(process.pid).children(recursive=True)
            assert children
            process.send_signal(number)
            process.wait(LIMIT_S)
            wait_until(lambda: not is_open(port))
            assert not [child for child in children if child.is_running()]
        finally:
            process.kill()


def test_a_taken_port_is_refused_with_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "cifar_core.serve", "--no-browser", "--port", str(port)]
        done = subprocess.run(
            command, cwd=repository(), capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert f"Port {port} is taken" in done.stderr
    assert f"make run PORT={port + 1}" in done.stderr
