"""Calendars as Exchange publishes them, of any size, the same at each run."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZONE = "TZID=W. Europe Standard Time"
_HEAD = (
    "BEGIN:VCALENDAR", "METHOD:PUBLISH", "PRODID:Microsoft Exchange Server 2010", "VERSION:2.0",
    "BEGIN:VTIMEZONE", "TZID:W. Europe Standard Time",
    "BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
    "BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT",
    "END:VTIMEZONE",
)  # fmt: skip
_USUAL = (
    "CLASS:PUBLIC", "PRIORITY:5", "DTSTAMP:20261101T000000Z", "TRANSP:OPAQUE", "STATUS:CONFIRMED",
    "SEQUENCE:0", "LOCATION:Boardroom", "X-MICROSOFT-CDO-APPT-SEQUENCE:0", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
    "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY", "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
    "X-MICROSOFT-CDO-IMPORTANCE:1", "X-MICROSOFT-CDO-INSTTYPE:0", "X-MICROSOFT-DONOTFORWARDMEETING:FALSE",
)  # fmt: skip
_FIRST = datetime(2024, 6, 1)  # noqa: DTZ001 - a clock on the wall
_DAYS = 1000
_HOUR = timedelta(hours=1)
_WEEK = timedelta(weeks=1)
_FOLD = 73


def usual_feed() -> bytes:
    """A room's feed of 10 kB: 50 meetings and 15 series, without details."""
    random = Random(1)  # noqa: S311 - no secret
    lines = list(_HEAD)
    for number in range(50):
        lines += _event(f"s{number}", _some_time(random, 60), _HOUR)
    for number in range(15):
        start = _some_time(random, _DAYS // 2)
        lines += _event(f"w{number}", start, _HOUR, "RRULE:FREQ=WEEKLY")
    return _body(lines)


def large_feed() -> bytes:
    """A feed of 6 MB: 5,000 events of a thousand days with details, 300 series and exceptions among them."""
    random = Random(2)  # noqa: S311 - no secret
    lines = list(_HEAD)
    for number in range(4400):
        lines += _event(f"s{number}", _some_time(random, _DAYS), _HOUR, *_details(random))
    for number in range(100):
        day = _some_time(random, _DAYS)
        days = (f"DTSTART;VALUE=DATE:{day:%Y%m%d}", f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}")
        lines += ["BEGIN:VEVENT", f"UID:d{number}", *days, *_details(random), "END:VEVENT"]
    for number in range(300):
        start = _some_time(random, _DAYS // 2)
        excluded = [f"EXDATE;{_ZONE}:{start + weeks * _WEEK:%Y%m%dT%H%M%S}" for weeks in (3, 9, 20, 30)]
        lines += _event(f"w{number}", start, _HOUR, "RRULE:FREQ=WEEKLY", *excluded, *_details(random))
        if number < 200:
            original = start + random.randrange(40, 140) * _WEEK
            named = f"RECURRENCE-ID;{_ZONE}:{original:%Y%m%dT%H%M%S}"
            lines += _event(f"w{number}", original + 2 * _HOUR, _HOUR, named, *_details(random))
    return _body(lines)


def _some_time(random: Random, days: int) -> datetime:
    return _FIRST + timedelta(days=_DAYS - days) + timedelta(minutes=15 * random.randrange(96 * days))


def _event(uid: str, start: datetime, length: timedelta, *more: str) -> list[str]:
    times = (f"DTSTART;{_ZONE}:{start:%Y%m%dT%H%M%S}", f"DTEND;{_ZONE}:{start + length:%Y%m%dT%H%M%S}")
    return ["BEGIN:VEVENT", f"UID:{uid}", *times, *more, "END:VEVENT"]


def _details(random: Random) -> Iterator[str]:
    yield f"SUMMARY:Meeting {random.randrange(1000)}"
    text = "DESCRIPTION:" + "".join(random.choices("abcdefgh ijklm nopq", k=620))
    yield text[:_FOLD]
    for begin in range(_FOLD, len(text), _FOLD):
        yield f" {text[begin : begin + _FOLD]}"
    yield from _USUAL


def _body(lines: list[str]) -> bytes:
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()
