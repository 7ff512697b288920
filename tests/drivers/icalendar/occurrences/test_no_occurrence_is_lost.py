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
from tests.drivers.icalendar.occurrences.slow_oracle import DAY, Rule, moment, touching, walls

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
    positions = st.lists(st.integers(-4, 4).filter(bool), max_size=2, unique=True).map(tuple)
    hours = st.lists(st.integers(0, 23), max_size=3, unique=True).map(tuple)
    interval = st.sampled_from([1, 1, 1, 2, 3, 5])
    ends = st.one_of(
        st.just((None, None)),
        st.integers(1, 400).map(lambda count: (count, None)),
        st.integers(-10, 40).map(lambda days: (None, (around + days * DAY).replace(tzinfo=None))),
    )

    def rule(frequency: str) -> st.SearchStrategy[Rule]:
        by_month = frequency in ("MONTHLY", "YEARLY")
        return st.builds(
            lambda end, **parts: Rule(frequency, count=end[0], until=end[1], **parts),
            end=ends,
            interval=interval,
            week_start=st.integers(0, 6),
            weekdays=numbered if by_month else plain,
            month_days=month_days if by_month or frequency == "DAILY" else st.just(()),
            months=st.one_of(st.just(()), months),
            hours=st.one_of(st.just(()), hours),
            positions=st.one_of(st.just(()), positions) if by_month else st.just(()),
        )

    return st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")).flatmap(rule)


@st.composite
def series(draw: st.DrawFn) -> Made:
    name = draw(st.sampled_from((*ZONES, DEFINED[0])))
    zone = ZoneInfo(DEFINED[1] if name == DEFINED[0] else name)
    around = datetime.fromisoformat(draw(st.sampled_from(DAYS))).replace(tzinfo=UTC)
    rule = draw(rules(around))
    whole_days = draw(st.booleans())
    begin = around.replace(tzinfo=None) - draw(st.integers(0, 900)) * DAY
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
                    st.tuples(
                        index, st.integers(0, 2), st.integers(-300, 300).map(lambda n: n * timedelta(hours=1))
                    ),
                    max_size=2,
                    unique_by=lambda move: move[0],
                )
            )
        ),
    )


def expected_and_text(made: Made) -> tuple[set[tuple[datetime, datetime]], bytes]:
    """What the oracle finds, and the calendar that states the same."""
    found = walls(made.rule, made.start, (made.until + 3 * DAY).date())
    chosen = found[::-1][:9]
    lines = [*_times("DTSTART", made, made.start), *_times("DTEND", made, made.start + made.length)]
    lines.append(f"RRULE:{_rule(made)}")
    at = {moment(wall, made.zone): wall for wall in found}
    for number, form in made.excluded:
        if number >= len(chosen):
            continue
        gone = chosen[number]
        lines.append(_named("EXDATE", made, gone, form))
        by_day = form == 3 or made.whole_days
        for when, wall in list(at.items()):
            if when == moment(gone, made.zone) or (by_day and wall.date() == gone.date()):
                del at[when]
    intervals = {when: (when, end_of(made, wall)) for when, wall in at.items()}
    others: list[tuple[str, ...]] = []
    for number, form, by in made.moved:
        if number >= len(chosen) or moment(chosen[number], made.zone) not in intervals:
            continue
        when, wall = moment(chosen[number], made.zone), chosen[number] + by
        if made.whole_days:
            wall = datetime.combine(wall, time())
        begins, ends = moment(wall, made.zone), moment(wall + made.length, made.zone)
        intervals[when] = begins, ends if ends > begins else begins + made.length
        named = _named("RECURRENCE-ID", made, chosen[number], form)
        others.append(
            event(named, *_times("DTSTART", made, wall), *_times("DTEND", made, wall + made.length))
        )
    definition = [DEFINITION] if made.name == DEFINED[0] else []
    head = [f"X-WR-TIMEZONE:{made.name}"]
    return (
        touching(intervals.values(), made.since, made.until),
        calendar(*definition, *others[:1], event(*lines), *others[1:], head=head),
    )


def end_of(made: Made, wall: datetime) -> datetime:
    """The later of what the clock shows at the end of the first occurrence, and of the first one's length."""
    by_clock = moment(wall + made.length, made.zone)
    if made.whole_days:
        return by_clock
    exact = moment(made.start + made.length, made.zone) - moment(made.start, made.zone)
    begins = moment(wall, made.zone)
    ends = max(by_clock, begins + exact)
    return ends if ends > begins else begins + made.length


def _times(name: str, made: Made, wall: datetime) -> list[str]:
    if made.whole_days:
        return [f"{name};VALUE=DATE:{wall:%Y%m%d}"]
    return [f"{name};TZID={made.name}:{wall:%Y%m%dT%H%M%S}"]


def _named(name: str, made: Made, wall: datetime, form: int) -> str:
    """Names an occurrence: 0 in the zone of the series, 1 in UTC, 2 in another zone, 3 as a date."""
    if made.whole_days:
        form = 0 if form == 1 else 3
    if form == 1:
        return f"{name}:{moment(wall, made.zone):%Y%m%dT%H%M%SZ}"
    if form == 2:
        return f"{name};TZID=Asia/Tokyo:{moment(wall, made.zone) + timedelta(hours=9):%Y%m%dT%H%M%S}"
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
