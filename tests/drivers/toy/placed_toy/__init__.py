"""A driver for placed that reads room calendars from a JSON file; as small as a driver can be.

    {"password": "", "rooms": {"boardroom": [["2026-10-06T09:00:00Z", "2026-10-06T10:00:00Z"]]}}

It has none of the optional capabilities.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from placed.domain.model import Meeting, Reason
from placed.driver import (
    ConnectionSettings,
    Failed,
    FilePath,
    FoundRoom,
    Problem,
    Read,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, Query, Surroundings

log = logging.getLogger(__name__)


class ToySettings(ConnectionSettings):
    """The keys of a `[[connections]]` table with `driver = "toy"`."""

    driver: Literal["toy"] = "toy"
    file: FilePath
    password: str = ""


class Toy:
    """One connection; implements `placed.driver.Driver`."""

    Settings = ToySettings

    def __init__(self, settings: ToySettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._now = surroundings.now

    @staticmethod
    def open(settings: ToySettings, surroundings: Surroundings) -> Toy:
        """Touches nothing yet."""
        return Toy(settings, surroundings)

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """All rooms in the file."""
        found = [FoundRoom(name, name) for name in self._calendars()]
        log.info("%d rooms were found", len(found))
        return found

    async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """Reads the file once for all of them."""
        asked_at = self._now()
        calendars = self._calendars()
        for query in queries:
            yield _answer(query, calendars, asked_at)

    async def close(self) -> None:
        """Nothing is open."""

    def _calendars(self) -> dict[str, Any]:
        try:
            content = json.loads(self._settings.file.read_text("utf-8"))
        except OSError as error:
            raise Unavailable(f"the file cannot be read: {error.strerror}") from None
        if content["password"] != self._settings.password:
            raise Refused("the file has another password", remedy="correct password")
        calendars: dict[str, Any] = content["rooms"]
        return calendars


def _answer(query: Query, calendars: dict[str, Any], asked_at: datetime) -> Answer:
    if query.room.mailbox not in calendars:
        return Failed(query, Reason.NOT_FOUND, Problem("", "no such room"))
    try:
        booked = [_meeting(*times) for times in calendars[query.room.mailbox]]
    except (TypeError, ValueError):
        return Failed(query, Reason.MALFORMED, Problem("", "not a list of times"))
    meetings = (m for m in booked if m.start < query.until and m.end > query.since)
    return Read(query, asked_at, tuple(meetings))


def _meeting(start: str, end: str) -> Meeting:
    begins, ends = (datetime.fromisoformat(time).astimezone(UTC) for time in (start, end))
    return Meeting(f"{start}/{end}", begins, ends)
