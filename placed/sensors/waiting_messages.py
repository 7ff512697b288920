"""Messages that wait to be taken in: bounded, with the newest of each topic. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST = 4  # messages of a topic that may wait; a sensor may send several kinds one after another
MOST_BYTES = 16 * 1024 * 1024
_OVERHEAD = 200  # bytes of a message that waits, beside its topic and payload


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a broker."""

    topic: str
    payload: bytes
    retained: bool

    @property
    def size(self) -> int:
        """What it takes of the memory, about."""
        return len(self.topic) + len(self.payload) + _OVERHEAD


class WaitingMessages:
    """A queue of topics with their waiting messages. The oldest are dropped where too many wait.

    Attributes:
        dropped: how many were dropped.
    """

    def __init__(self, newest: int = NEWEST, most_bytes: int = MOST_BYTES) -> None:
        self._newest = newest
        self._most_bytes = most_bytes
        self._waiting: OrderedDict[str, deque[Received]] = OrderedDict()
        self._bytes = 0
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, message: Received) -> list[Received]:
        """Adds a message; returns those that are dropped for it."""
        waiting = self._waiting.setdefault(message.topic, deque())
        waiting.append(message)
        self._bytes += message.size
        dropped: list[Received] = []
        if len(waiting) > self._newest:
            dropped.append(waiting.popleft())
        self._bytes -= sum(one.size for one in dropped)
        while self._bytes > self._most_bytes and len(self._waiting) > 1:
            dropped += self._take_topic()
        self.dropped += len(dropped)
        return dropped

    def take(self) -> Iterator[Received]:
        """Takes the messages of the topic that has waited longest, in the order in which they came."""
        return iter(self._take_topic())

    def _take_topic(self) -> deque[Received]:
        _, messages = self._waiting.popitem(last=False)
        self._bytes -= sum(message.size for message in messages)
        return messages
