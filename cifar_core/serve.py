"""python -m cifar_core.serve: the app and a browser that shows it; what `make run` calls.

It starts Streamlit as a process and knows nothing of it.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path

from cifar_core.system.paths import repository


def main() -> int:
    """Starts the app on 127.0.0.1 and opens the browser once it answers."""
    parser = argparse.ArgumentParser(prog="python -m cifar_core.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8501, help="default 8501")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    options = parser.parse_args()
    if not 1 <= options.port <= 65535:
        sys.stderr.write(f"--port {options.port} is not accepted; give 1 to 65535.\n")
        return 2
    if _is_taken(options.port):
        sys.stderr.write(
            f"Port {options.port} is taken, perhaps by this app: http://127.0.0.1:{options.port}. "
            f"Choose another one: make run PORT={options.port + 1}\n"
        )
        return 2
    url = f"http://127.0.0.1:{options.port}"
    if not options.no_browser:
        threading.Thread(target=_open_when_ready, args=(url,), daemon=True).start()
    app = [str(Path(sys.executable)), "-m", "streamlit", "run", "app.py"]
    server = subprocess.Popen([*app, f"--server.port={options.port}"], cwd=repository())
    for name in ("SIGTERM", "SIGHUP"):  # else the app would go on without us; Windows has no SIGHUP
        if number := getattr(signal, name, None):
            signal.signal(number, lambda *_: server.terminate())
    with contextlib.suppress(KeyboardInterrupt):
        return server.wait()
    server.wait()
    return 0


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _has_screen() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_when_ready(url: str) -> None:
    for _ in range(120):
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            if _has_screen():
                webbrowser.open(url)
            return
        time.sleep(0.25)


if __name__ == "__main__":
    sys.exit(main())
