"""The calendars in a home: which are rooms, and what the server reports of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from placed.driver import FoundRoom
from placed.driver.meetings import short_key
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.hrefs import below, collection, key_of, name_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placed_icalendar.caldav.multistatus import DavResponse

_EVENTS = "VEVENT"
_TZID = re.compile(r"^(?:TZID|X-LIC-LOCATION):([!-~]+?)\s*$", re.MULTILINE)
# What lets an account change bookings (RFC 3744). Not `write-properties`, with which Nextcloud lets everybody
# choose a colour for a calendar that is shared for reading.
MAY_CHANGE = frozenset({"all", "write", "write-content", "bind", "unbind"})
_MAY_READ = frozenset({"all", "read"})
_DAV = "{DAV:}"


class Calendar(NamedTuple):
    """A calendar in the home.

    Attributes:
        path: encoded, with a slash at its end.
        name: the last segment of its path.
        title: its displayname, if it has one.
        zone: IANA name of its own time zone, if it has one that is known here.
        owner: path of its owner's principal, if the server reports it.
        may_change: privileges of this account with which bookings could be changed, by their names.
        may_read: whether this account has the privilege to read it; None if the server does not report it.
    """

    path: str
    name: str
    title: str | None
    zone: str | None
    owner: str | None
    may_change: frozenset[str] = frozenset()
    may_read: bool | None = None

    @property
    def key(self) -> str:
        """What is the same of all spellings of its address."""
        return key_of(self.path)


def is_calendar(one: DavResponse) -> bool:
    """Whether it is a calendar collection."""
    kind = one.properties.get(names.RESOURCE_TYPE)
    return one.ok and kind is not None and kind.child(names.CALENDAR) is not None


def is_room(one: DavResponse) -> bool:
    """Whether it is a calendar of events. A server that names no kinds holds all (RFC 4791, 5.2.3)."""
    kinds = one.properties.get(names.COMPONENT_SET)
    if kinds is None or not kinds.children:
        return is_calendar(one)
    return is_calendar(one) and any(
        kind.attributes.get("name", "").upper() == _EVENTS for kind in kinds.children
    )


def calendars_of(found: Iterable[DavResponse]) -> list[Calendar]:
    """Returns the calendars that can hold events, by their paths."""
    calendars = {one.key: _calendar(one) for one in found if is_room(one)}
    return [calendars[key] for key in sorted(calendars)]


def rooms_of(calendars: Sequence[Calendar], wanted: Sequence[str], home: str) -> list[FoundRoom]:
    """Returns the rooms.

    Args:
        calendars: in the home.
        wanted: names of calendars in the settings; empty for all. One that is not in the home is a room all
            the same, which then cannot be read: it may be shared again. If several homes have one of that
            name, each is a room: which one is meant is not known.
        home: path of the first home.
    """
    if not wanted:
        return _with_addresses(calendars)
    by_name: dict[str, list[Calendar]] = {}
    for calendar in calendars:
        by_name.setdefault(calendar.name, []).append(calendar)
    chosen = dict.fromkeys(wanted)
    return _with_addresses([one for name in chosen for one in by_name.get(name) or [_unlisted(name, home)]])


def _with_addresses(calendars: Sequence[Calendar]) -> list[FoundRoom]:
    """Returns a room of each; of several with one name, all but the first get an address with more to it."""
    seen: set[str] = set()
    rooms = []
    for calendar in calendars:
        address = calendar.name
        if address.lower() in seen:
            address = f"{address}-{short_key(calendar.key)[:6]}"
        seen.add(address.lower())
        rooms.append(_room(calendar, address))
    return rooms


def _unlisted(name: str, home: str) -> Calendar:
    return Calendar(below(home, name), name, None, None, None)


def _room(calendar: Calendar, address: str) -> FoundRoom:
    return FoundRoom(address=address, mailbox=calendar.path, name=calendar.title, time_zone=calendar.zone)


def _calendar(one: DavResponse) -> Calendar:
    owners = one.hrefs(names.OWNER)
    held = _privileges(one)
    return Calendar(
        path=collection(one.path),
        name=name_of(one.path),
        title=one.text(names.DISPLAY_NAME) or None,
        zone=_zone(one.text(names.CALENDAR_TIMEZONE)),
        owner=path_of(owners[0], one.path) if owners else None,
        may_change=frozenset() if held is None else held & MAY_CHANGE,
        may_read=None if held is None else bool(held & _MAY_READ),
    )


def _privileges(one: DavResponse) -> frozenset[str] | None:
    """Returns the privileges of this account without their namespace; None if they are not reported."""
    found = one.properties.get(names.PRIVILEGES)
    if found is None:
        return None
    return frozenset(
        child.name.removeprefix(_DAV) for each in found.all(names.PRIVILEGE) for child in each.children
    )


def _zone(text: str) -> str | None:
    """Returns the zone that a VTIMEZONE names, if it is one of IANA's."""
    for name in _TZID.findall(text):
        try:
            return ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None
