"""A real mosquitto on loopback, with a configuration of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.free_ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 10.0  # seconds for it to let clients in
_BESIDE_PATH = ":/usr/sbin:/usr/local/sbin"  # where Debian has it, and not every user's PATH


@contextmanager
def mosquitto(core: int = 1) -> Iterator[int]:
    """One that runs on this core, where there are several; its port."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + _BESIDE_PATH)
    if program is None:
        raise RuntimeError("mosquitto is not installed; remedy: apt-get install mosquitto")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "mosquitto.conf")
        configuration.write_text(
            f"listener {port} {HOST}\n"
            "allow_anonymous true\n"
            "persistence false\n"
            "user root\n"  # nothing to whom is not root; root could not read its own files else
            "log_type error\n"
            "max_queued_messages 1000000\n"  # or it drops what a subscriber is not quick enough for
        )
        process = subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
        try:
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(process.pid, {cores[core % len(cores)]})
            _wait_for(port, process)
            yield port
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    given_up = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < given_up:
        with suppress(OSError), socket.create_connection((HOST, port)):
            return
        time.sleep(0.01)  # another process: that it listens is no event here
    raise RuntimeError("mosquitto does not let clients in")
