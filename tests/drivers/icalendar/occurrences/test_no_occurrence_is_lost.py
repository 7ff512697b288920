"""Whatever a series is made of, the driver finds exactly the occurrences that a slow oracle finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, note
from hypothesis import strategies as st

from placed_icalendar.occurrences.contents import Window
from placed_icalendar.occurrences.reading import read_calendars
from tests.drivers.icalendar.calendar_bodies import calendar, event
from tests.drivers.icalendar.occurrences.slow_oracle import DAY, HOUR, Rule, moment, moments, touching

_BY_DAY = ("DAILY", "HOURLY")
_BY_YEAR_DAY = ("DAILY", "HOURLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
    "UTC",
)
# The days around changes of clocks in these zones, a leap day, and the end of a year.
DAYS = (
    "2026-03-29",
    "2026-10-25",
    "2026-03-08",
    "2026-11-01",
    "2026-04-05",
    "2026-10-04",
    "2028-02-29",
    "2026-12-31",
)
DEFINED = ("Customized Time Zone", "Europe/Berlin")  # the calendar's own name for this zone
DEFINITION = (
    "BEGIN:VTIMEZONE", "TZID:Customized Time Zone",
    "BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
    "BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT",
    "END:VTIMEZONE",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A series, as it is written and as the oracle understands it."""

    start: datetime
    length: timedelta
    name: str
    zone: ZoneInfo
    rule: Rule
    around: datetime
    whole_days: bool = False
    excluded: tuple[
        tuple[int, int], ...
    ] = ()  # how many occurrences before the window's end; how it is written
    moved: tuple[tuple[int, int, timedelta], ...] = ()
    added: tuple[
        tuple[timedelta, int, timedelta | None], ...
    ] = ()  # how long after the start; how it is written; its own length
    from_then_on: tuple[int, int, timedelta, timedelta] | None = None  # as `moved`, and how much longer

    @property
    def since(self) -> datetime:
        return self.around - 2 * DAY

    @property
    def until(self) -> datetime:
        return self.around + 2 * DAY


def rules(around: datetime) -> st.SearchStrategy[Rule]:
    plain = st.lists(st.tuples(st.integers(0, 6), st.just(0)), max_size=4, unique=True).map(tuple)
    which = st.integers(-5, 5)
    numbered = st.lists(st.tuples(st.integers(0, 6), which), max_size=3, unique=True).map(tuple)
    month_days = st.lists(st.integers(-31, 31).filter(bool), max_size=4, unique=True).map(tuple)
    months = st.lists(st.integers(1, 12), max_size=5, unique=True).map(tuple)
    year_days = st.lists(st.integers(-366, 366).filter(bool), max_size=6, unique=True).map(tuple)
    positions = st.lists(st.integers(-4, 4).filter(bool), max_size=2, unique=True).map(tuple)
    hours = st.lists(st.integers(0, 23), max_size=3, unique=True).map(tuple)
    interval = st.sampled_from([1, 1, 1, 2, 3, 5])
    ends = st.one_of(
        st.just((None, None)),
        st.integers(1, 400).map(lambda count: (count, None)),
        st.integers(-10, 40).map(lambda days: (None, (around + days * DAY).replace(tzinfo=None))),
    )

    ends_soon = st.one_of(
        st.integers(1, 1200).map(lambda count: (count, None)),
        st.integers(-3, 5).map(lambda days: (None, (around + days * DAY).replace(tzinfo=None))),
    )

    def rule(frequency: str) -> st.SearchStrategy[Rule]:
        by_month = frequency in ("MONTHLY", "YEARLY")
        return st.builds(
            lambda end, **parts: Rule(frequency, count=end[0], until=end[1], **parts),
            end=ends_soon if frequency == "HOURLY" else ends,
            interval=interval,
            week_start=st.integers(0, 6),
            weekdays=numbered if by_month else plain,
            month_days=month_days if by_month or frequency in _BY_DAY else st.just(()),
            months=st.one_of(st.just(()), months),
            hours=st.one_of(st.just(()), hours),
            positions=st.one_of(st.just(()), positions) if by_month else st.just(()),
            year_days=st.one_of(st.just(()), year_days) if frequency in _BY_YEAR_DAY else st.just(()),
        )

    by_week = st.builds(
        lambda end, **parts: Rule("YEARLY", count=end[0], until=end[1], **parts),
        end=ends,
        week_start=st.integers(0, 6),
        weekdays=plain,
        months=st.one_of(st.just(()), months),
        weeks=st.lists(st.integers(-51, 53).filter(bool), min_size=1, max_size=12, unique=True).map(tuple),
    )
    frequencies = st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY")).flatmap(rule)
    return st.one_of(frequencies, frequencies, frequencies, by_week)


@st.composite
def series(draw: st.DrawFn) -> Made:
    name = draw(st.sampled_from((*ZONES, DEFINED[0])))
    zone = ZoneInfo(DEFINED[1] if name == DEFINED[0] else name)
    around = datetime.fromisoformat(draw(st.sampled_from(DAYS))).replace(tzinfo=UTC)
    rule = draw(rules(around))
    if rule.frequency == "HOURLY" and rule.hours:
        rule = replace(rule, interval=1)  # of others dateutil refuses those that are never true
    hourly = rule.frequency == "HOURLY"
    whole_days = not hourly and draw(st.booleans())
    begin = around.replace(tzinfo=None) - draw(st.integers(0, 30 if hourly else 900)) * DAY
    clock = time(draw(st.integers(0, 23)), draw(st.sampled_from((0, 30))))
    start = datetime.combine(begin, time() if whole_days else clock)
    if whole_days:
        length = draw(st.integers(1, 4)) * DAY
        until = None if rule.until is None else datetime.combine(rule.until, time())
        rule = replace(rule, hours=(), until=until)
    else:
        length = draw(st.integers(1, 200)) * timedelta(minutes=30)
        until = None if rule.until is None else datetime.combine(rule.until, clock)
        rule = replace(rule, until=until)
    index = st.integers(0, 8)
    hours = st.integers(-300, 300).map(lambda number: number * HOUR)
    lengths = st.integers(1, 60).map(lambda number: number * HOUR / 2)
    after = st.integers(0, 40 * 24).map(
        lambda number: number * HOUR + (around.replace(tzinfo=None) - 20 * DAY - begin)
    )
    return Made(
        start,
        length,
        name,
        zone,
        rule,
        around,
        whole_days,
        excluded=tuple(draw(st.lists(st.tuples(index, st.integers(0, 3)), max_size=3))),
        moved=tuple(
            draw(
                st.lists(
                    st.tuples(index, st.integers(0, 2), hours),
                    max_size=2,
                    unique_by=lambda move: move[0],
                )
            )
        ),
        added=tuple(
            draw(st.lists(st.tuples(after, st.integers(0, 2), st.one_of(st.none(), lengths)), max_size=3))
        ),
        from_then_on=draw(
            st.one_of(
                st.none(),
                st.tuples(index, st.integers(0, 2), hours, st.integers(0, 4).map(lambda n: n * HOUR)),
            )
        ),
    )


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


@given(series())
def test_no_occurrence_of_a_series_is_lost_or_added(made: Made) -> None:
    rule = made.rule
    if rule.until is not None and rule.until < made.start:
        return  # it ended before it began; a test of its own
    expected, body = expected_and_text(made)
    note(body.decode())
    contents = read_calendars([body], Window(made.since, made.until, made.zone, None, details=False))
    assert contents is not None
    found = {(meeting.start, meeting.end) for meeting in contents.meetings}
    assert expected - found == set(), "lost"
    assert found - expected == set(), "added"
    keys = [meeting.key for meeting in contents.meetings]
    assert len(set(keys)) == len(keys)
