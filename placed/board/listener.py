"""What an output of the board implements to be notified of statements, rooms and connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.state_document import Statement


class Listener(Protocol):
    """Is notified of what the board states. Every method returns at once; it queues the work."""

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement. One that is not urgent renews an earlier one, or is the first."""
        ...

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Rooms were added, removed or renamed."""
        ...

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection's health was reported."""
        ...

    def connection_removed(self, connection: str) -> None:
        """A connection is not in the settings any more. Its rooms were removed before."""
        ...
