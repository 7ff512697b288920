"""Ports for what a benchmark or a test starts by itself, and for what nobody may be found at."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import random
import socket
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
_BELOW_CLIENTS = range(10_000, 32_768)  # the kernel gives these to no client (ip(7): ip_local_port_range)
_reserved: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that nobody else here gets for as long as this process lives.

    What is bound later, as a broker is that was down, may take its time: till then somebody else might get
    the port, such as another test, or even who tries to connect to it, and is then connected to itself.
    """
    for port in random.sample(_BELOW_CLIENTS, 1000):
        with suppress(OSError):
            _look(port)
            _reserve(port)
            return port
    raise RuntimeError("no port is free")


def _look(port: int) -> None:
    """On both loopbacks, since who listens on localhost may want either; a machine may lack the second."""
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise


def _reserve(port: int) -> None:
    """By a name that all who ask look at, and that goes with this process (unix(7): abstract sockets)."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0placed-port-{port}")
    except OSError:
        name.close()
        raise
    _reserved.append(name)


@asynccontextmanager
async def usual_ports() -> AsyncIterator[None]:
    """Who goes by whether a usual port (1883, 8620) is free is alone with that on this machine, meanwhile.

    Other runs of the tests wait, also those of another clone. It ends with this process at the latest.
    """
    with (Path(tempfile.gettempdir()) / "placed-tests-usual-ports").open("a") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        yield
