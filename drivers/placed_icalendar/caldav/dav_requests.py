"""The bodies of all requests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed_icalendar.caldav import dav_names as names

if TYPE_CHECKING:
    from datetime import datetime

# A server compares times without a zone, and all-day events, as if they were in UTC or in a zone of its own
# (RFC 4791, 9.9), which is at most 14 hours away from the room's.
MARGIN = timedelta(days=1)
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def propfind(*properties: str) -> bytes:
    """Returns the body of PROPFIND for these properties, given as `{namespace}name`."""
    asked = "".join(_empty(name) for name in properties)
    return f'{_HEAD}<propfind xmlns="DAV:"><prop>{asked}</prop></propfind>'.encode()


def calendar_query(since: datetime, until: datetime) -> bytes:
    """Returns the body of REPORT for all objects with an occurrence in [since, until), in UTC.

    The objects come whole: servers that expand series were seen to be wrong by an hour across the change of
    clocks, and to ignore exceptions (Radicale 3.9.0).
    """
    start, end = f"{since - MARGIN:%Y%m%dT%H%M%SZ}", f"{until + MARGIN:%Y%m%dT%H%M%SZ}"
    return _events(f'<c:time-range start="{start}" end="{end}"/>')


def _events(within: str) -> bytes:
    return (
        f"{_HEAD}"
        '<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        "<prop><getetag/><c:calendar-data/></prop>"
        '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
        f"{within}</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    ).encode()


def _empty(name: str) -> str:
    namespace, _, local = name.removeprefix("{").partition("}")
    return f'<{local} xmlns="{namespace}"/>'


WHO = propfind(names.CURRENT_USER_PRINCIPAL)
PRINCIPAL = propfind(names.CALENDAR_HOMES, names.PRINCIPAL_COLLECTIONS, names.READS_FOR, names.WRITES_FOR)
HOMES_OF_OTHERS = propfind(names.CALENDAR_HOMES)
LISTING = propfind(
    names.RESOURCE_TYPE,
    names.DISPLAY_NAME,
    names.COMPONENT_SET,
    names.CALENDAR_TIMEZONE,
    names.OWNER,
    names.PRIVILEGES,
    names.CURRENT_USER_PRINCIPAL,
)
TAGS = propfind(names.CTAG, names.SYNC_TOKEN)
ADDRESSES = propfind(names.ADDRESSES)
KIND = propfind(names.RESOURCE_TYPE)
ALL_EVENTS = _events("")  # of a calendar, whenever they are
