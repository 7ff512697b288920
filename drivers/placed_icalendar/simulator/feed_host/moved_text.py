"""Moves the dates in iCalendar text by whole weeks, so that a text with fixed dates plays now."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

_DAY = re.compile(r"(?<![0-9A-Za-z])((?:19|20)\d{2})(\d{2})(\d{2})(?=T\d{6}|[^0-9A-Za-z]|$)")
_LONG_AGO = 1990  # rules of time zones begin before it: they stay


def moved(text: str, played: date, now: datetime) -> str:
    """The text in which the week of `played` is the week of `now`.

    Weekdays stay. A day that does not exist, and everything before 1990, such as the beginnings of the rules
    of time zones, stays as it is.
    """
    weeks = round((_monday(now.date()) - _monday(played)).days / 7)

    def move(found: re.Match[str]) -> str:
        try:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return found[0]
        return found[0] if day.year < _LONG_AGO else f"{day + timedelta(weeks=weeks):%Y%m%d}"

    return _DAY.sub(move, text)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
