"""In which time zones the whole days of a room may lie."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

_MOST = 100  # zones; a calendar of guests from all over the world has some 40


class ZonesOfCalendar(Protocol):
    """What has to be known of a calendar."""

    @property
    def stated(self) -> tzinfo | None:
        """The zone that it states as its own."""

    @property
    def defined(self) -> Iterator[tzinfo]:
        """The zones that it defines."""

    @property
    def text(self) -> bytes:
        """What of its text decides about both."""


class RoomZones:
    """The zones of a room's whole days.

    A zone that the settings name counts alone. If they name none, the calendar's X-WR-TIMEZONE counts.
    Without that nothing shows in which of the zones that the calendar uses the room is: its days are then
    from the first midnight to the last one, so that it is not shown as free while its day lasts.

    Args:
        room: the room's zone.
        is_default: whether nobody has set it.
    """

    def __init__(self, room: tzinfo, *, is_default: bool) -> None:
        self._room = room
        self._is_default = is_default
        self._calendars: list[ZonesOfCalendar] = []
        self._found: tuple[tzinfo, ...] | None = None

    def add(self, calendar: ZonesOfCalendar) -> None:
        """Takes in a calendar of the room. All of them have to be there before a zone is asked for."""
        self._calendars.append(calendar)

    @property
    def stated(self) -> str | None:
        """The IANA name that the calendars state as their own; None if they state none, or several."""
        zones = self._stated()
        (zone,) = zones if len(zones) == 1 else (None,)
        return zone.key if isinstance(zone, ZoneInfo) else None

    @property
    def all(self) -> tuple[tzinfo, ...]:
        """At least one."""
        if self._found is None:
            self._found = self._find() if self._is_default else (self._room,)
        return self._found

    @property
    def text(self) -> bytes:
        """What of the calendars' text decides about these zones."""
        return b"\n".join(sorted({one.text for one in self._calendars})) if self._is_default else b""

    def _find(self) -> tuple[tzinfo, ...]:
        stated = self._stated()
        if stated:
            return tuple(stated)
        used = (zone for calendar in self._calendars for zone in calendar.defined)
        return tuple(dict.fromkeys((self._room, *islice(dict.fromkeys(used), _MOST))))

    def _stated(self) -> dict[tzinfo, None]:
        found = (calendar.stated for calendar in self._calendars)
        return dict.fromkeys(zone for zone in found if zone is not None)
