"""What a publisher reports of itself: for health, metrics and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.mqtt_delivery_status import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.domain.mqtt_delivery_status import Undelivered
    from placed.mqtt.connection_problems import Trouble
    from placed.mqtt.publisher_context import PublisherContext
    from placed.mqtt.session import Session


class PublisherStatus:
    """The status of a publisher; see `placed.domain.mqtt_delivery_status.DeliveryStatus`.

    Args:
        context: of all its sessions.

    Attributes:
        counters: of its connections and messages.
    """

    def __init__(self, context: PublisherContext) -> None:
        self._context = context
        self._session: Session | None = None
        self._trouble: Trouble | None = None
        self.counters = context.counters

    @property
    def configured(self) -> bool:
        """A broker is configured."""
        return True

    @property
    def messages_published(self) -> int:
        """How many messages the broker took."""
        return self.counters.published

    @property
    def messages_refused(self) -> Mapping[str, int]:
        """How many messages the broker refused, or were left out, by reason; every reason is a key."""
        return {reason.value: self._context.refusals.counted[reason] for reason in Refused}

    @property
    def undelivered(self) -> tuple[Undelivered, ...]:
        """On which topics the broker does not hold what is true, and what to do about it."""
        return self._context.refusals.undelivered

    @property
    def all_acknowledged(self) -> bool:
        """Whether the initial publication is acknowledged, and no PUBACK of a later state is late."""
        session = self._session
        return session is not None and session.all_acknowledged and not session.overdue

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker."""
        return self._session is not None

    @property
    def was_connected(self) -> bool:
        """Whether there ever was a connection to the broker."""
        return self.counters.connections > 0

    @property
    def reconnects(self) -> int:
        """How often a new connection was made after the first one."""
        return max(0, self.counters.connections - 1)

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return self._session.waiting if self._session else 0

    @property
    def last_error(self) -> str | None:
        """The current problem, as a short text without secrets."""
        if self._session is None and self._trouble is not None:
            return self._trouble.problem.text
        undelivered = self.undelivered
        return undelivered[0].problem.line if undelivered else None
