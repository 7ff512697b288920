"""Messages in flight over one connection: sent, and not yet acknowledged by a PUBACK."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from placed.mqtt.messages import Message

_LOAD = (
    32  # messages within `_LOAD_TIME` seconds, from which a broker may end the connection for their number
)
_LOAD_TIME = 5.0
_OVERDUE = 3.0  # seconds without a PUBACK for a state, after which panels may show an older one


class Flight(msgspec.Struct, gc=False):
    """A message that was sent.

    Attributes:
        number: of the message, counted over all connections.
        sent_at: the time of the event loop.
        done: called at the PUBACK; None for a message of the outbox.
        replaces_refused: it is sent in place of one that is refused and stays so.
    """

    message: Message
    number: int
    sent_at: float
    done: Callable[[], None] | None = None
    replaces_refused: bool = False


class InFlight:
    """Messages in flight, by their number.

    Args:
        is_required: returns whether readiness depends on a topic.
    """

    def __init__(self, is_required: Callable[[str], bool]) -> None:
        self._is_required = is_required
        self._messages: dict[int, Flight] = {}
        self._sent_at: deque[float] = deque(maxlen=_LOAD)  # of the latest messages

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def messages(self) -> list[Message]:
        """Messages in the order in which they were sent."""
        return [flight.message for flight in self._messages.values()]

    @property
    def loaded(self) -> bool:
        """Whether so many messages were sent lately that the broker may have ended the connection for it."""
        return len(self._sent_at) == _LOAD and self._sent_at[-1] - self._sent_at[0] < _LOAD_TIME

    @property
    def overdue(self) -> bool:
        """Whether the PUBACK of a message that readiness needs is late."""
        if not self._messages:
            return False
        before = asyncio.get_running_loop().time() - _OVERDUE
        return any(f.sent_at < before and self._is_required(f.message.topic) for f in self._messages.values())

    def add(self, flight: Flight) -> None:
        """A message was sent."""
        self._messages[flight.number] = flight
        self._sent_at.append(flight.sent_at)

    def acknowledge(self, number: int) -> None:
        """The broker has acknowledged a message, as taken or refused."""
        del self._messages[number]
