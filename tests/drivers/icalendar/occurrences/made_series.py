"""Series of meetings as a property test draws them: rules, time zones, exceptions and moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.drivers.icalendar.occurrences.slow_oracle import DAY, HOUR, Rule

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
