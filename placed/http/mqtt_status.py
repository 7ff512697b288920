"""What the status endpoint has to know of the way to MQTT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.domain.delivery import Undelivered


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
        """Messages that the broker took since the start."""
        ...

    @property
    def messages_refused(self) -> Mapping[str, int]:
        """Messages that it did not take since the start, by reason; every reason is there."""
        ...

    @property
    def undelivered(self) -> Sequence[Undelivered]:
        """On which topics it does not hold what is true."""
        ...

    @property
    def all_acknowledged(self) -> bool:
        """Whether it has answered to every state: all that are published first, and later ones in seconds."""
        ...

    @property
    def reconnects(self) -> int:
        """How often a lost connection was made again since the start."""
        ...
