"""The end of systemd's notification socket at which systemd would listen."""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Manager:
    """Receives a service's notifications; `address` is what the service would find in NOTIFY_SOCKET."""

    def __init__(self, channel: socket.socket, address: str) -> None:
        self._channel = channel
        self.address = address

    @classmethod
    @contextmanager
    def listening(cls, folder: Path) -> Iterator[Self]:
        """At a file."""
        path = str(folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(path)
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)  # a long start notifies often
            yield cls(channel, path)

    @classmethod
    @contextmanager
    def abstract(cls) -> Iterator[Self]:
        """In the abstract name space."""
        name = f"placed-test-{secrets.token_hex(8)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(f"\0{name}")
            yield cls(channel, f"@{name}")

    @property
    def heard(self) -> list[str]:
        """All notifications that were not yet read. A datagram is there as soon as it is sent."""
        self._channel.settimeout(0)
        messages = []
        while True:
            try:
                messages.append(self._channel.recv(65536).decode())
            except BlockingIOError:
                return messages

    async def more(self) -> list[str]:
        """Waits for a notification; returns all that were not yet read."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._channel, arrived.set)
        try:
            async with asyncio.timeout(DEADLINE):
                await arrived.wait()
        finally:
            loop.remove_reader(self._channel)
        return self.heard

    def forget(self) -> None:
        """Drops the notifications so far."""
        _ = self.heard
