"""Messages in flight over one connection: sent, and not yet acknowledged by a PUBACK."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.mqtt.suspect_messages import SentMessage

_LOAD = (
    32  # messages within `_LOAD_TIME` seconds, from which a broker may end the connection for their number
)
_LOAD_TIME = 5.0
_OVERDUE = 3.0  # seconds without a PUBACK for a state, after which panels may show an older one


class InFlight:
    """Messages in flight, by their number.

    Attributes:
        empty: set while no message is in flight.
    """

    def __init__(self) -> None:
        self.empty = asyncio.Event()
        self.empty.set()
        self._messages: dict[int, SentMessage] = {}
        self._required: dict[int, float] = {}  # number -> when it was sent; of messages that readiness needs
        self._lost: list[SentMessage] = []
        self._sent_at: deque[float] = deque(maxlen=_LOAD)  # of the latest messages

    @property
    def outstanding(self) -> list[SentMessage]:
        """Messages in the order in which they were sent; after `connection_lost`, those of that moment."""
        return self._lost or list(self._messages.values())

    @property
    def loaded(self) -> bool:
        """Whether so many messages were sent lately that the broker may have ended the connection for it."""
        return len(self._sent_at) == _LOAD and self._sent_at[-1] - self._sent_at[0] < _LOAD_TIME

    @property
    def overdue(self) -> bool:
        """Whether the PUBACK of a message that readiness needs is late."""
        since = next(iter(self._required.values()), None)
        return since is not None and asyncio.get_running_loop().time() - since > _OVERDUE

    def add(self, number: int, message: SentMessage, *, required: bool) -> None:
        """A message is about to be sent; `required`: readiness depends on it."""
        sent_at = asyncio.get_running_loop().time()
        self._messages[number] = message
        self._sent_at.append(sent_at)
        self.empty.clear()
        if required:
            self._required[number] = sent_at

    def acknowledge(self, number: int) -> None:
        """The broker has acknowledged a message, as taken or refused."""
        del self._messages[number]
        self._required.pop(number, None)
        if not self._messages:
            self.empty.set()

    def connection_lost(self) -> None:
        """Remembers what was in flight when the connection was lost; only the first call counts."""
        self._lost = self._lost or list(self._messages.values())
