"""How old the news of a feed is, by the moments that its events carry. Pure.

A publisher may serve a copy that is hours or days old; nothing in the protocol shows that. What shows it is a
calendar that changed nearly every day, and of which the newest change is days old.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_MOMENT = re.compile(
    rb"^(DTSTAMP|LAST-MODIFIED|CREATED)(?:;[^:\r\n]*)?:(\d{8}T\d{6})Z", re.MULTILINE | re.IGNORECASE
)
_LOOK_BACK = timedelta(days=14)
_DAILY = 8  # days with changes, of those of `_LOOK_BACK`
OLD = timedelta(days=3)  # a weekend, and a day
_JUST_NOW = timedelta(minutes=10)


class Freshness(NamedTuple):
    """What a feed's text shows.

    Attributes:
        newest: of all changes in its events; None if they carry no moments.
        stamped: whether every DTSTAMP is of the same minute: then the publisher made the text then.
        daily: whether there were changes on most days before `newest`.
    """

    newest: datetime | None
    stamped: datetime | None
    daily: bool

    @property
    def suspicious_after(self) -> datetime | None:
        """From when on its news is suspiciously old; None if never."""
        return self.newest + OLD if self.newest is not None and self.daily else None


def freshness_of(body: bytes) -> Freshness:
    """Looks at the moments in a text."""
    stamps: list[datetime] = []
    changes: list[datetime] = []
    for name, text in _MOMENT.findall(body):
        moment = _parsed(text)
        if moment is not None:
            (stamps if name.upper() == b"DTSTAMP" else changes).append(moment)
    at_once = bool(stamps) and max(stamps) - min(stamps) < _JUST_NOW
    made = max(stamps) if at_once else None
    known = changes if changes or (at_once and len(stamps) > 1) else stamps
    newest = max(known, default=None)
    if newest is None:
        return Freshness(None, made, daily=False)
    days = {moment.date() for moment in known if newest - _LOOK_BACK <= moment <= newest}
    return Freshness(newest, made, len(days) >= _DAILY)


def _parsed(text: bytes) -> datetime | None:
    try:
        return datetime.strptime(text.decode(), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
