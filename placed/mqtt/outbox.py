"""What is to be published and was not yet: the latest of each topic, the urgent first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from placed.mqtt.messages import Message


class Outbox:
    """Waiting messages.

    What is retained waits once a topic: a later message takes the place of an earlier one and keeps its
    turn, or gets an urgent one. What is not retained is told one by one, and always urgently.
    """

    def __init__(self) -> None:
        # Not plain dicts: of these the first is the harder to find the more were taken before it.
        self._urgent: OrderedDict[str | int, Message] = OrderedDict()
        self._bulk: OrderedDict[str | int, Message] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._bulk)

    def put(self, message: Message, *, urgent: bool = False) -> None:
        """Adds a message."""
        topic = message.topic
        if not message.retain:
            self._count += 1
            self._urgent[self._count] = message
        elif urgent or topic in self._urgent:
            self._bulk.pop(topic, None)
            self._urgent[topic] = message
        else:
            self._bulk[topic] = message

    def take(self, now: datetime) -> tuple[Message | None, list[Message]]:
        """The message whose turn it is, if any, and those before it that have outlived their time."""
        outlived: list[Message] = []
        for waiting in (self._urgent, self._bulk):
            while waiting:
                _, message = waiting.popitem(last=False)
                if not message.outlived(now):
                    return message, outlived
                outlived.append(message)
            waiting.clear()  # else it stays as large as it ever was
        return None, outlived
