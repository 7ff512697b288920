"""The store of one connection's state for the next start; this one forgets it with the process."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from placed.domain.consent_record import ConsentMemory
from placed.domain.model import Reason, Schedule
from placed.domain.presence import Presence
from placed.driver import Fence, FoundRoom

if TYPE_CHECKING:
    from collections.abc import Sequence


class StoredRoom(msgspec.Struct, frozen=True):
    """A stored room: how the service listed it, and its last reading, if any."""

    listing: FoundRoom
    schedule: Schedule | None = None
    failure: Reason | None = None
    changed_at: datetime | None = None  # since when its occupancy was the same
    noted_at: datetime | None = None  # when it was read, by the clock of that time
    presence: Presence | None = None  # the last one, and until when it may be continued


class StoredConnection(msgspec.Struct, frozen=True):
    """The stored state of a connection. It has no rooms if they must not be published again."""

    rooms: tuple[StoredRoom, ...] = ()
    fence: Fence | None = None


class ConnectionMemory:
    """Keeps one connection's state until the process ends. `placed.store` has persistent ones."""

    def __init__(self, consent: ConsentMemory | None = None) -> None:
        self.consent = consent or ConsentMemory()

    def recall(self, now: datetime, steady: float) -> StoredConnection:  # noqa: ARG002 - nothing is stored here
        """Returns what was stored before this start."""
        return StoredConnection()

    def listed(self, found: Sequence[FoundRoom]) -> None:
        """Stores the rooms of the connection."""

    def tried(self, fence: Fence) -> None:
        """Stores the result of a fence check."""
