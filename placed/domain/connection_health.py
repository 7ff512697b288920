"""How a connection is: what it last achieved and what fails. A value; the poller makes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from placed.domain.consent_record import Consent
from placed.domain.fence_result import UNTRIED, Fence
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure, RoomReadability, readability_documents
from placed.domain.timestamps import timestamp, timestamp_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from placed.domain.model import Room


class ConnectionState(StrEnum):
    """A connection in one word."""

    STARTING = "starting"  # nothing was read yet, nothing failed yet
    OK = "ok"  # the last round read at least one room, or there are no rooms to read
    FAILING = "failing"  # the last round read none
    REFUSED = "refused"  # refused for good: a person has to change the configuration
    BREACHED = "breached"  # the fence does not hold


class ConnectionHealth(msgspec.Struct, frozen=True):
    """How a connection is at a moment."""

    name: str
    driver: str
    state: ConnectionState = ConnectionState.STARTING
    rooms: int = 0
    failing: Mapping[str, ReadFailure] | None = None  # by room id
    last_success: datetime | None = None  # when a calendar was last read
    since: datetime | None = None  # since when the state is what it is
    problem: Problem | None = None  # what is wrong with the connection as a whole
    consent: Consent = Consent.UNKNOWN
    consent_since: datetime | None = None
    consent_until: datetime | None = None  # when a request lapses
    fence: Fence = UNTRIED
    credential_expires_at: datetime | None = None
    impossible_meetings: int = 0  # that end no later than they start; they occupy nothing
    readability: RoomReadability = RoomReadability()  # of every room, as of the last round
    whole: ReadFailure | None = None  # why none of the rooms is read
    rooms_are_sure: bool = True  # whether rooms of an earlier run that are not among its rooms were removed
    writer_fence: Fence | None = None  # of the registration that writes; None where nothing is ever written

    def document(self) -> dict[str, Any]:
        """For `bridge/health` and `/api/v1/connections`; names no address and no person."""
        failing = self.failing or {}
        return {
            "name": self.name,
            "driver": self.driver,
            "state": self.state.value,
            "since": timestamp_or_none(self.since),
            "rooms": self.rooms,
            "failing": [
                {"room": room, "reason": f.reason.value, "since": timestamp(f.since)}
                for room, f in sorted(failing.items())
            ],
            "last_success": timestamp_or_none(self.last_success),
            "problem": self.problem.text if self.problem else None,
            "remedy": (self.problem.remedy or None) if self.problem else None,
            "consent": self.consent.value,
            "consent_since": timestamp_or_none(self.consent_since),
            "consent_until": timestamp_or_none(self.consent_until),
            "fence": _fence_document(self.fence),
            "actions": {"fence": _fence_document(self.writer_fence)}
            if self.writer_fence is not None
            else None,
            "credential_expires_at": timestamp_or_none(self.credential_expires_at),
            "impossible_meetings": self.impossible_meetings,
        }

    def rooms_document(self, rooms: Iterable[Room]) -> list[dict[str, str | None]]:
        """How each of the rooms is read, for `/api/v1/connections/<name>/rooms`."""
        return readability_documents(rooms, self.readability, self.whole)


def _fence_document(fence: Fence) -> dict[str, Any]:
    return {
        "state": fence.state.value,
        "checked_at": timestamp_or_none(fence.checked_at),
        "excess": list(fence.excess),
        "warnings": [warning.line for warning in fence.warnings],
    }
