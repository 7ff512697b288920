"""Judges how long a start takes, by what the daemon notifies systemd of: sd_notify(3).

`start`: READY comes within some seconds of each start, whatever calendar services and broker do.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from types import TracebackType

_LONGEST = 0.5  # seconds that count from one look to the next: more of them passed while nobody looked


class NotificationSocket:
    """What systemd gives a service as NOTIFY_SOCKET, for the time of a `with`.

    Attributes:
        address: of it, in the abstract name space.
    """

    def __init__(self) -> None:
        self.address = f"@placed-tests-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def __enter__(self) -> Self:
        self._socket.bind("\0" + self.address[1:])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def received(self) -> list[str]:
        """The lines that came since the last call."""
        lines: list[str] = []
        with suppress(BlockingIOError):
            while True:
                lines += self._socket.recv(65536).decode().splitlines()
        return lines


class StartOracle:
    """Takes in what is notified.

    Args:
        within: so many seconds.
        checked: counts starts.
        complain: is called with the number of seconds of a start that takes too long.
    """

    def __init__(self, within: float, checked: Counter[str], complain: Callable[[float], None]) -> None:
        self._within = within
        self._checked = checked
        self._complain = complain
        self._start = 0  # the number of it
        self._judged = False  # whether it is over, or has taken too long
        self._took = 0.0
        self._looked_at: float | None = None

    def look(self, start: int, lines: list[str], moment: float, *, runs: bool) -> None:
        """Judges a start.

        Args:
            start: the number of the last one.
            lines: what was notified since the last look.
            moment: on a clock that nobody sets.
            runs: whether the daemon can do anything.
        """
        passed = min(moment - self._looked_at, _LONGEST) if self._looked_at is not None else 0.0
        self._looked_at = moment
        if start != self._start:
            self._start, self._judged, self._took = start, False, 0.0
            self._checked["start"] += 1
        elif "READY=1" in lines:  # else it came from the one before
            self._judged = True
        if self._judged or not runs:
            return
        self._took += passed
        if self._took > self._within:
            self._judged = True
            self._complain(self._took)

    async def judged(self, start: int) -> None:
        """Waits until the start with this number is over, or has taken too long."""
        while not (self._judged and self._start == start):  # noqa: ASYNC110 - it is looked at, too
            await asyncio.sleep(0.1)
