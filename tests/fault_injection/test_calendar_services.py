"""Feeds and CalDAV in a campaign: the truth about them is what they serve, and their faults are faults."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import ShowAs, window
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Malformed, Window
from tests.fault_injection.dav_calendars import DavCalendars
from tests.fault_injection.feed_calendars import ROOMS, FeedCalendars
from tests.fault_injection.feed_faults import HOSTILE, hostile_text
from tests.fault_injection.ground_truth import Sight, Truth, occupying
from tests.fault_injection.stored_calendars import booked

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 12, 2, 7, 30, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = BEGIN

    def __call__(self) -> datetime:
        return self.moment


def window_at(moment: datetime) -> Window:
    since, until = window(moment, BERLIN, 1)
    return Window(since, until, BERLIN, None, False)  # noqa: FBT003 - details


async def occupied(text: str, moment: datetime) -> tuple[tuple[float, float], ...]:
    """When the feed's room is occupied, as the driver reads it."""
    contents = await CalendarReader(worker=False).read([text.encode()], window_at(moment))
    assert contents is not None
    spans = sorted(
        (m.start.timestamp(), m.end.timestamp())
        for m in contents.meetings
        if not m.cancelled and not m.declined and m.show_as is not ShowAs.FREE and m.start < m.end
    )
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return tuple(merged)


async def test_what_is_true_of_a_feed_is_what_it_holds_also_while_news_is_late() -> None:
    clock = Clock()
    feeds = FeedCalendars(clock, random.Random(7), lambda: None)  # noqa: S311 - a play, not a secret
    publisher = feeds.publisher
    late = 0
    for step in range(150):
        clock.moment += timedelta(seconds=0.5)
        feeds.step()
        publisher.delay = timedelta(seconds=20 if step % 2 else 0)
        late += publisher.published(publisher.room(ROOMS[0]))[0] < clock.moment - timedelta(seconds=20)
        for name, _, held in feeds.calendars():
            _, text = publisher.published(publisher.room(name))
            since = clock.moment - timedelta(hours=1)
            truth = [span for span in occupying(held, BERLIN) if span[1] > since.timestamp()]
            read = [span for span in await occupied(text, clock.moment) if span[1] > since.timestamp()]
            assert read == truth
    assert late > 10


def test_people_change_the_calendars_of_every_room() -> None:
    clock = Clock()
    dav = DavCalendars(clock, random.Random(3), lambda: None)  # noqa: S311 - the same
    for _ in range(100):
        clock.moment += timedelta(seconds=0.5)
        dav.step()
    found = {name: (version, held) for name, version, held in dav.calendars()}
    assert found.keys() == set(dav.names)
    assert all(isinstance(version, int) and version > 10 for version, _ in found.values())
    assert any(held for _, held in found.values())


@pytest.mark.parametrize("line", HOSTILE)
async def test_every_hostile_text_makes_its_room_malformed(line: str) -> None:
    with pytest.raises(Malformed):
        await CalendarReader(worker=False).read([hostile_text(line, BEGIN).encode()], window_at(BEGIN))


def test_news_that_nobody_could_know_is_excused_for_so_long_and_no_longer() -> None:
    truth = Truth(BERLIN, lead=4.0, slack=1.5)
    wall = BEGIN.timestamp()
    truth.tick(0.0, wall)
    feeds = FeedCalendars(Clock(), random.Random(0), lambda: None)  # noqa: S311 - the same
    room = ROOMS[0]
    truth.note(room, [], 0.0)
    truth.postpone(room, 5.0, 0.0)
    feeds.publisher.book(room, BEGIN - timedelta(hours=1), BEGIN + timedelta(hours=1))
    booking = feeds.publisher.bookings.calendar(room).bookings.popitem()[1]
    truth.note(room, [booked(booking)], 1.0)
    free = Sight("free", None)
    assert truth.allows(room, free, 1.0 + 12.0 + 4.9, budget=12.0)
    assert not truth.allows(room, free, 1.0 + 12.0 + 5.1, budget=12.0)
    truth.postpone(room, 0.0, 20.0)
    truth.note(room, [], 25.0)
    truth.note(room, [booked(booking)], 26.0)
    assert truth.allows(room, free, 26.0 + 12.0, budget=12.1)
    assert not truth.allows(room, free, 26.0 + 13.0, budget=12.0)
