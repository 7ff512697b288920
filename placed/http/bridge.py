"""What the status endpoint has to know of the way to MQTT."""

from __future__ import annotations

from typing import Protocol


class Bridge(Protocol):
    """The MQTT side. Where no broker is configured, an object that says so and counts nothing."""

    @property
    def configured(self) -> bool:
        """Whether there is a broker to publish to at all."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker is connected now."""
        ...

    @property
    def messages_published(self) -> int:
        """Messages published since the start."""
        ...

    @property
    def reconnects(self) -> int:
        """How often a lost connection was made again since the start."""
        ...
