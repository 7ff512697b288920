"""The daemon itself: `placed run` with a configuration of its own, as its unit would have it run."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.connection_settings import ConnectionSettings
from tests.benchmarks.servers import graph_responses
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.child_process import Child

PROGRAM = str(Path(sys.executable).with_name("placed"))
_UNIT = Path(__file__).resolve().parents[3] / "systemd" / "placed.service"
_PATIENCE = 60.0  # seconds for it to be ready


@dataclass(frozen=True, slots=True)
class Home:
    """What it is started with: its configuration, and where it keeps its state."""

    folder: Path

    @property
    def command(self) -> list[str]:
        """As the unit has it, with the log that it has under systemd."""
        return [PROGRAM, "run", f"--config={self.folder / 'placed.toml'}", "--log-format=json"]

    @property
    def environment(self) -> dict[str, str]:
        """No more of ours than it takes to find the program, and what the unit sets."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {
            **kept,
            **dict(pair.split("=", 1) for line in _settings() for pair in line.split()),
            "STATE_DIRECTORY": str(self.folder / "state"),
            "NOTIFY_SOCKET": str(self.folder / "notify"),
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Starts it; what it logs is of no interest unless it is an error."""
        return subprocess.Popen(self.command, env=self.environment, stderr=subprocess.DEVNULL)


def _settings() -> list[str]:
    return re.findall(r"^Environment=(.*)$", _UNIT.read_text("utf-8"), re.MULTILINE)


@contextmanager
def home(graph: Child, port: int, rooms: int, certificate: bytes, interval: str = "30s") -> Iterator[Home]:
    """A configuration for so many rooms, with both ways out.

    Args:
        graph: its login host and its Graph.
        port: of the broker.
        rooms: how many.
        certificate: that it signs in with, as PEM.
        interval: at which it polls.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pem = folder / "contoso.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(certificate)
        connection = ConnectionSettings(
            name="contoso",
            tenant=graph_responses.DOMAIN,
            client_id="11111111-2222-3333-4444-555555555555",
            host=graph.begun["url"],
            ca_file=graph.begun["ca_file"],
            certificate=pem,
            rooms=tuple(map(graph_responses.address, range(rooms))),
        )
        (folder / "placed.toml").write_text(
            f"{connection.toml()}\n"
            f'[polling]\ninterval = "{interval}"\n'
            f'[mqtt]\nurl = "mqtt://{HOST}:{port}"\n'
            f'[http]\nlisten = "127.0.0.1:0"\n'
        )
        yield Home(folder)


@contextmanager
def running(where: Home, patience: float = _PATIENCE) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, from when every room has been published once; it has `patience` seconds for that."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(where.environment["NOTIFY_SOCKET"])
        notices.settimeout(1.0)
        process = where.start()
        try:
            _wait_for(notices, process, time.monotonic() + patience)
            yield process
        finally:
            process.kill()
            process.wait()


def _wait_for(notices: socket.socket, process: subprocess.Popen[bytes], given_up: float) -> None:
    while process.poll() is None and time.monotonic() < given_up:
        with suppress(TimeoutError):
            if b"READY=1" in notices.recv(4096):
                return
    raise RuntimeError("the daemon does not get ready")
