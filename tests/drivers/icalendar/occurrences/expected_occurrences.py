"""What the slow oracle finds of a drawn series, and the calendar text that states the series."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from tests.drivers.icalendar.calendar_bodies import calendar, event
from tests.drivers.icalendar.occurrences.made_series import DEFINED, DEFINITION, WEEKDAYS, Made
from tests.drivers.icalendar.occurrences.slow_oracle import DAY, HOUR, moment, moments, touching


def expected_and_text(made: Made) -> tuple[set[tuple[datetime, datetime]], bytes]:
    """What the oracle finds, and the calendar that states the same."""
    expected = _Expected(made)
    expected.add()
    expected.exclude()
    expected.change_from_then_on()
    expected.move()
    return touching(expected.intervals.values(), made.since, made.until), expected.body()


class _Expected:
    """What is expected of a series, and the lines that state it."""

    def __init__(self, made: Made) -> None:
        self.made = made
        # Those of later weeks may be moved into the window.
        self.at = moments(made.rule, made.start, made.zone, (made.until + 20 * DAY).date())
        self.chosen = sorted(when for when in self.at if when < made.until + 3 * DAY)[::-1][:9]
        self.walls = dict(self.at)
        self.own_lengths: dict[datetime, timedelta] = {}
        self.intervals: dict[datetime, tuple[datetime, datetime]] = {}
        self.since: datetime | None = None  # the occurrence from which on the series is another one
        self.others: list[tuple[str, ...]] = []
        times = *_times("DTSTART", made, made.start), *_times("DTEND", made, made.start + made.length)
        self.lines = [*times, f"RRULE:{_rule(made)}"]

    def add(self) -> None:
        """RDATE, where no other occurrence begins, and the clock skips no hour."""
        made = self.made
        for after, written, own in made.added:
            wall = datetime.combine(made.start + after, time()) if made.whole_days else made.start + after
            form, length = (0, None) if made.whole_days else (written, own)
            when = moment(wall, made.zone)
            if when.astimezone(made.zone).replace(tzinfo=None) != wall or when in self.at:
                continue
            self.at[when] = wall
            name = "RDATE" if length is None else "RDATE;VALUE=PERIOD"
            self.lines.append(_named(name, made, when, wall, form) + _period_end(when, length, form))
            if length is not None:
                self.own_lengths[when] = length

    def exclude(self) -> None:
        """EXDATE."""
        for number, form in self.made.excluded:
            if number >= len(self.chosen):
                continue
            gone = self.chosen[number]
            self.lines.append(_named("EXDATE", self.made, gone, self.walls[gone], form))
            by_day = form == 3 or self.made.whole_days
            for when, wall in list(self.at.items()):
                if when == gone or (by_day and wall.date() == self.walls[gone].date()):
                    del self.at[when]

    def change_from_then_on(self) -> None:
        """RANGE=THISANDFUTURE; and where everything else takes place."""
        made, changed, shift = self.made, self.made, timedelta()
        number, form, by, more = made.from_then_on or (len(self.chosen), 0, shift, shift)
        if number < len(self.chosen) and self.chosen[number] in self.at:
            since = self.since = self.chosen[number]
            begin = self.walls[since] + by
            if made.whole_days:
                begin, more = datetime.combine(begin, time()), timedelta(days=more // HOUR)
            shift = begin - self.walls[since]
            changed = replace(made, start=begin, length=made.length + more)
            named = _named("RECURRENCE-ID;RANGE=THISANDFUTURE", made, since, self.walls[since], form)
            self._replace(since, named, begin, changed.length)
        for when, wall in self.at.items():
            own = self.own_lengths.get(when)
            if self.since is None or when < self.since:
                self.intervals[when] = _interval(made, when, wall, timedelta(), own)
            elif when > self.since:
                self.intervals[when] = _interval(changed, when, wall, shift, own)

    def move(self) -> None:
        """RECURRENCE-ID."""
        made = self.made
        for number, form, by in made.moved:
            if number >= len(self.chosen) or self.chosen[number] not in self.intervals:
                continue
            when = self.chosen[number]
            if when == self.since:
                continue
            wall = self.walls[when] + by
            if made.whole_days:
                wall = datetime.combine(wall, time())
            named = _named("RECURRENCE-ID", made, when, self.walls[when], form)
            self._replace(when, named, wall, made.length)

    def body(self) -> bytes:
        """The calendar, with an exception before the series."""
        definition = [DEFINITION] if self.made.name == DEFINED[0] else []
        head = [f"X-WR-TIMEZONE:{self.made.name}"]
        return calendar(*definition, *self.others[:1], event(*self.lines), *self.others[1:], head=head)

    def _replace(self, when: datetime, named: str, wall: datetime, length: timedelta) -> None:
        made = self.made
        begins, ends = moment(wall, made.zone), moment(wall + length, made.zone)
        self.intervals[when] = begins, ends if ends > begins else begins + length
        times = *_times("DTSTART", made, wall), *_times("DTEND", made, wall + length)
        self.others.append(event(named, *times))


def _interval(
    made: Made, when: datetime, wall: datetime, shift: timedelta, own: timedelta | None
) -> tuple[datetime, datetime]:
    """From the start of an occurrence, perhaps moved, to its end: its own, or the later one of `end_of`."""
    begins = moment(wall + shift, made.zone) if shift or made.whole_days else when
    return begins, end_of(made, begins, wall + shift) if own is None else begins + own


def end_of(made: Made, begins: datetime, wall: datetime) -> datetime:
    """The later of what the clock shows at the end of the first occurrence, and of the first one's length."""
    second = begins != moment(wall, made.zone)
    by_clock = moment(wall + made.length, made.zone, second=second)
    if made.whole_days:
        return by_clock
    exact = moment(made.start + made.length, made.zone) - moment(made.start, made.zone)
    ends = max(by_clock, begins + exact)
    return ends if ends > begins else begins + made.length


def _period_end(when: datetime, length: timedelta | None, form: int) -> str:
    """The second part of a period, in the zone of the first: as a time, or as a duration."""
    if length is None:
        return ""
    if form == 1:
        return f"/{when + length:%Y%m%dT%H%M%SZ}"
    return f"/PT{length // timedelta(minutes=1)}M"


def _times(name: str, made: Made, wall: datetime) -> list[str]:
    if made.whole_days:
        return [f"{name};VALUE=DATE:{wall:%Y%m%d}"]
    return [f"{name};TZID={made.name}:{wall:%Y%m%dT%H%M%S}"]


def _named(name: str, made: Made, when: datetime, wall: datetime, form: int) -> str:
    """Names an occurrence: 0 in the zone of the series, 1 in UTC, 2 in another zone, 3 as a date."""
    if made.whole_days:
        form = 0 if form == 1 else 3
    elif form == 0 and when != moment(wall, made.zone):
        form = 1  # the second of two hours, which has no name of its own in the zone
    if form == 1:
        return f"{name}:{when:%Y%m%dT%H%M%SZ}"
    if form == 2:
        return f"{name};TZID=Asia/Tokyo:{when + timedelta(hours=9):%Y%m%dT%H%M%S}"
    if form == 3:
        return f"{name};VALUE=DATE:{wall:%Y%m%d}"
    return f"{name};TZID={made.name}:{wall:%Y%m%dT%H%M%S}"


def _rule(made: Made) -> str:
    rule = made.rule
    parts = {
        "FREQ": rule.frequency,
        "INTERVAL": str(rule.interval),
        "WKST": WEEKDAYS[rule.week_start],
        "BYDAY": ",".join(f"{which or ''}{WEEKDAYS[day]}" for day, which in rule.weekdays),
        "BYMONTHDAY": ",".join(map(str, rule.month_days)),
        "BYMONTH": ",".join(map(str, rule.months)),
        "BYYEARDAY": ",".join(map(str, rule.year_days)),
        "BYWEEKNO": ",".join(map(str, rule.weeks)),
        "BYHOUR": ",".join(map(str, rule.hours)),
        "BYSETPOS": ",".join(map(str, rule.positions)),
        "COUNT": str(rule.count or ""),
    }
    if rule.until is not None:
        parts["UNTIL"] = f"{rule.until:%Y%m%d}" if made.whole_days else _until(made, rule.until)
    return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def _until(made: Made, until: datetime) -> str:
    return f"{moment(until, made.zone):%Y%m%dT%H%M%SZ}"
