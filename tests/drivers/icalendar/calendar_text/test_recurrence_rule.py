from __future__ import annotations

import pytest

from placed_icalendar.calendar_text.content_line import content_line
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.recurrence_rule import Rule, read_rule


def rule(text: str) -> Rule:
    return read_rule(content_line(b"RRULE", b":" + text.encode(), 5))


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU;INTERVAL=2",
        "FREQ=MONTHLY;BYDAY=-1FR,+2MO;COUNT=3;",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;BYSETPOS=1",
        "freq=daily;until=20261202t080000z",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=HOURLY;INTERVAL=4;UNTIL=20261202",
        "FREQ=DAILY;BYHOUR=8,9,10;BYMINUTE=0,15,30,45",
        "RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OMIT",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;X-NOTE=1",
    ],
)
def test_a_rule_is_understood(text: str) -> None:
    assert rule(text).frequency in text.upper()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DAILY",
        "FREQ=",
        "FREQ=FORTNIGHTLY",
        "BYDAY=MO",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=two",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=WEEKLY;BYDAY=MON",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=MONTHLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYEASTER=1",
        "FREQ=DAILY;WKST=XX",
        "FREQ=YEARLY;BYWEEKNO=-52",
        "FREQ=YEARLY;RSCALE=HEBREW",
        "FREQ=YEARLY;SKIP=BACKWARD",
    ],
)
def test_a_rule_that_is_not_understood_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match=r"\(RRULE, line 5\)"):
        rule(text)


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=2",
        "FREQ=MINUTELY;UNTIL=20261202",
        "FREQ=HOURLY",
        "FREQ=HOURLY;INTERVAL=24",
        "FREQ=HOURLY;COUNT=-1",
        f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE=0,10,20,30,40,50",
    ],
)
def test_a_rule_that_hardly_ends_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="the rule repeats"):
        rule(text)


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2", False),
        ("FREQ=DAILY;BYDAY=MO,TU", False),
        ("FREQ=MONTHLY;BYDAY=-1FR", False),
        ("FREQ=MONTHLY;BYMONTHDAY=31", False),
        ("FREQ=YEARLY;BYMONTH=2;BYDAY=5MO", False),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", True),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", True),
        ("FREQ=MONTHLY;BYDAY=6MO", True),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", True),
        ("FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20", True),
        ("FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6", True),
        ("FREQ=HOURLY;BYMONTH=2;UNTIL=20300101", True),
    ],
)
def test_a_rule_whose_parts_may_exclude_each_other_is_known(text: str, *, may_be: bool) -> None:
    assert rule(text).may_be_never_true is may_be
