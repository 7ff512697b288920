"""Commands that wait to be taken in: bounded, and no room keeps the others waiting. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

_T = TypeVar("_T")

OF_ONE = 8  # messages on one topic that may wait
MOST = 500  # messages that may wait


class CommandQueue(Generic[_T]):
    """A queue of each topic; the topics take turns.

    Args:
        of_one: how many messages on one topic may wait.
        most: how many may wait altogether.
    """

    def __init__(self, of_one: int = OF_ONE, most: int = MOST) -> None:
        self._of_one = of_one
        self._most = most
        self._waiting: OrderedDict[str, deque[_T]] = OrderedDict()
        self._number = 0

    def __len__(self) -> int:
        """How many messages wait."""
        return self._number

    def put(self, topic: str, message: _T) -> bool:
        """Adds a message; returns whether there is place for it."""
        of_topic = self._waiting.get(topic)
        if self._number >= self._most or (of_topic is not None and len(of_topic) >= self._of_one):
            return False
        self._waiting.setdefault(topic, deque()).append(message)
        self._number += 1
        return True

    def take(self) -> _T:
        """Takes the oldest message of the topic whose turn it is.

        Raises:
            KeyError: nothing waits.
        """
        topic, messages = self._waiting.popitem(last=False)
        taken = messages.popleft()
        self._number -= 1
        if messages:
            self._waiting[topic] = messages  # at the end
        return taken
