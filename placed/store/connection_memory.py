"""What is noted of one connection for the next start, and what a start finds noted. Here for a life only."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from placed.domain.consent import ConsentMemory
from placed.domain.model import Reason, Schedule
from placed.driver import Fence, FoundRoom

if TYPE_CHECKING:
    from collections.abc import Sequence


class StoredRoom(msgspec.Struct, frozen=True):
    """A room as it was known: how the service listed it, and what was last read of it, if anything."""

    listing: FoundRoom
    schedule: Schedule | None = None
    failure: Reason | None = None
    changed_at: datetime | None = None  # since when its occupancy was what it was
    noted_at: datetime | None = None  # when it was read, by the clock of then


class StoredConnection(msgspec.Struct, frozen=True):
    """What was known of a connection when it was last read. No room where that is not to be told again."""

    rooms: tuple[StoredRoom, ...] = ()
    fence: Fence | None = None


class ConnectionMemory:
    """Takes notes of one connection, and forgets them with the process. `placed.store` has lasting ones."""

    def __init__(self, consent: ConsentMemory | None = None) -> None:
        self.consent = consent or ConsentMemory()

    def recall(self, now: datetime, steady: float) -> StoredConnection:  # noqa: ARG002 - here nothing was
        """What was noted before this start, which is now by both clocks."""
        return StoredConnection()

    def listed(self, found: Sequence[FoundRoom]) -> None:
        """These are the rooms of the connection."""

    def tried(self, fence: Fence) -> None:
        """The fence was tried."""
