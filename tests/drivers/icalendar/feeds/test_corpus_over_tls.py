"""The whole corpus as feeds of one connection: each room is what its text makes it, whatever others are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from placed.driver import Query, Read
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Malformed, Window
from tests.drivers.icalendar.feeds.feed_setup import room_of, word
from tests.drivers.icalendar.test_corpus import BEGIN, CORPUS, END, EXPECTED, FEEDS, MALFORMED

if TYPE_CHECKING:
    from placed.domain.model import Meeting
    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup

ZONE = ZoneInfo(EXPECTED["zone"])
NAMES = sorted(FEEDS)


def text_of(name: str) -> str:
    return (CORPUS / f"{name}.ics").read_bytes().decode("utf-8", "replace")


async def in_text(text: str) -> tuple[Meeting, ...] | None:
    """The meetings that the text has by itself; None if it is malformed."""
    asked = Window(BEGIN, END, ZONE, None, details=True)
    try:
        found = await CalendarReader(worker=False).read([text.encode()], asked)
    except Malformed:
        return None
    assert found is not None
    return found.meetings


async def test_every_feed_is_read_as_its_text_and_spoils_no_other(feed_setup: FeedSetup) -> None:
    for place, name in enumerate(NAMES):
        feed_setup.publisher.add_room(name, text=text_of(name), chunked=bool(place % 2), gzip=bool(place % 3))
    driver = feed_setup.open()
    queries = [Query(room_of(name, ZONE.key), BEGIN, END) for name in NAMES]
    answers = await feed_setup.read(driver, *queries)
    for name, answer in zip(NAMES, answers, strict=True):
        meetings = await in_text(text_of(name))
        assert word(answer) == ("malformed" if meetings is None else "read"), name
        if isinstance(answer, Read):
            assert answer.meetings == meetings, name
    again = [word(answer) for answer in await feed_setup.read(driver, *queries)]
    assert again == ["malformed" if word(one) == "malformed" else "unchanged" for one in answers]


@pytest.mark.parametrize("weeks", [1, 53])
async def test_every_feed_can_be_played_in_another_week(feed_setup: FeedSetup, weeks: int) -> None:
    feed_setup.clock.moment = datetime(2026, 12, 2, 9, tzinfo=UTC) + timedelta(weeks=weeks)
    for name in NAMES:
        feed_setup.publisher.add_text(name, text_of(name), date(2026, 11, 30))
    driver = feed_setup.open()
    found = {
        name: word(answer) for name, answer in zip(NAMES, await feed_setup.read(driver, *NAMES), strict=True)
    }
    read = {name for name in NAMES if found[name] == "read"}
    malformed = {name for name in NAMES if found[name] == "malformed"}
    assert read | malformed == {*NAMES}
    assert set(MALFORMED) <= malformed
    # Free/busy that was published for that week only ends before tomorrow's end, or does not.
    assert malformed - {*MALFORMED} <= {name for name in NAMES if "VFREEBUSY" in text_of(name)}
