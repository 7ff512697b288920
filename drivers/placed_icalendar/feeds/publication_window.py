"""Up to when a calendar is published, where its text names that. Pure.

Free/busy has an end of its own (RFC 5545, 3.6.4: DTEND of VFREEBUSY), and so has a calendar that Outlook or
Exchange exported for a range of days ([MS-OXCICAL], X-CLIPEND). Other feeds name none: that their last event
is over proves nothing, since nothing may be booked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_MOMENT = rb"(?:;[^:\r\n]*)?:(\d{8})(?:T(\d{6})(Z?))?[ \t]*\r?$"
_CLIPPED = re.compile(rb"^X-CLIPEND" + _MOMENT, re.MULTILINE | re.IGNORECASE)
_PARTS = re.compile(rb"^(?:(BEGIN|END):VFREEBUSY\b|DTEND" + _MOMENT + rb")", re.MULTILINE | re.IGNORECASE)
_EVENT = re.compile(rb"^BEGIN:VEVENT\b", re.MULTILINE | re.IGNORECASE)


def published_until(body: bytes, zone: ZoneInfo) -> datetime | None:
    """The moment in UTC up to which a calendar is published; None if the text does not name it.

    Args:
        body: the calendar's text.
        zone: of times without one.
    """
    ends = [found.groups() for found in _CLIPPED.finditer(body)]
    if not ends and not _EVENT.search(body):
        ends = list(_ends_of_free_busy(body))
    moments = [moment for end in ends if (moment := _moment(end, zone)) is not None]
    return max(moments, default=None)


def _ends_of_free_busy(body: bytes) -> Iterator[tuple[bytes | None, ...]]:
    """Yields every DTEND in a VFREEBUSY. The body is read once: a hostile one may begin a million of them."""
    inside = False
    for found in _PARTS.finditer(body):
        if found[1] is not None:
            inside = found[1].upper() == b"BEGIN"
        elif inside:
            yield found.groups()[1:]


def _moment(end: tuple[bytes | None, ...], zone: ZoneInfo) -> datetime | None:
    day, time, utc = (part.decode() if part else "" for part in end)
    try:
        moment = datetime.strptime(day + (time or "000000"), "%Y%m%d%H%M%S").replace(
            tzinfo=UTC if utc else zone
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
