"""What is to be published and was not yet: the latest of each topic, the urgent first. Pure."""

from __future__ import annotations

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
        self._urgent: dict[str | int, Message] = {}
        self._bulk: dict[str, Message] = {}
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
                message = waiting.pop(next(iter(waiting)))  # type: ignore[arg-type]
                if not message.outlived(now):
                    return message, outlived
                outlived.append(message)
        return None, outlived
