"""A calendar service of another kind in a campaign, beside the tenant: what the world needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager
    from datetime import date
    from pathlib import Path

    from tests.fault_injection.network_link import Line

ZONE = "Europe/Berlin"  # of all rooms
MANY = 6  # meetings of a room, from which on fewer are booked


@dataclass(frozen=True, slots=True)
class Booked:
    """A meeting as the truth knows it, whatever the service."""

    start: datetime
    end: datetime
    cancelled: bool
    response: str
    show_as: str
    all_day: bool


class CalendarService(Protocol):
    """A simulated service with rooms, and people who book them.

    Attributes:
        line: of the daemon, to it.
        changes: how many so far.
    """

    line: Line
    changes: int

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of its rooms."""

    def served(self, folder: Path) -> AbstractAsyncContextManager[str]:
        """It runs; gives the `[[connections]]` table with which the daemon reads it by the line."""

    def calendars(self) -> Iterator[tuple[str, object, list[Booked]]]:
        """Each room's id, the version of its calendar, and what is on it."""

    async def run(self, pause: float) -> None:
        """People book and change meetings, for ever, with such a pause on average."""


def moment(when: datetime | date) -> datetime:
    """The moment; of a date its midnight in UTC, of which the truth takes the date alone."""
    return when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)
