"""Feeds are read over TLS: what changed is a reading, what did not is recognised and costs little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from placed.driver import Read, Unchanged
from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.drivers.icalendar.calendar_bodies import calendar, event
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, at, word, words

if TYPE_CHECKING:
    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup


async def test_a_feed_is_read_from_its_address_to_the_meeting(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.book(BOARDROOM, at(9), at(10), summary="Review")
    driver = feed_setup.open()
    found = await driver.find_rooms()
    assert [(room.address, room.mailbox) for room in found] == [(BOARDROOM,) * 2, (LIBRARY,) * 2]
    (meeting,) = await feed_setup.meetings(driver)
    assert (meeting.start, meeting.end, meeting.title) == (at(9), at(10), "Review")
    assert await feed_setup.meetings(driver, LIBRARY) == ()


@pytest.mark.parametrize(
    ("service", "statuses"),
    [
        pytest.param({"etag": "honoured"}, [200, 304], id="ETag"),
        pytest.param({"etag": "ignored"}, [200, 200], id="an ETag that the host ignores"),
        pytest.param({"etag": "none", "last_modified": True}, [200, 304], id="Last-Modified"),
        pytest.param({"etag": "none"}, [200, 200], id="nothing"),
        pytest.param({"etag": "none", "stamped": True}, [200, 200], id="another DTSTAMP each time"),
        pytest.param({"etag": "none", "gzip": False}, [200, 200], id="not compressed"),
        pytest.param({"etag": "none", "chunked": True}, [200, 200], id="in chunks"),
    ],
)
async def test_what_did_not_change_is_recognised(
    feed_setup: FeedSetup, service: dict[str, object], statuses: list[int]
) -> None:
    feed_setup.publisher.serve(BOARDROOM, **service)
    feed_setup.publisher.book(BOARDROOM, at(9), at(10))
    feed_setup.clock.wait(minutes=2)
    driver = feed_setup.open()
    assert word(await feed_setup.one(driver)) == "read"
    feed_setup.clock.wait(minutes=1)
    again = await feed_setup.one(driver)
    assert isinstance(again, Unchanged)
    assert again.asked_at == feed_setup.clock()
    assert feed_setup.statuses == statuses
    feed_setup.publisher.book(BOARDROOM, at(11), at(12))
    changed = await feed_setup.one(driver)
    assert isinstance(changed, Read)
    assert [meeting.start for meeting in changed.meetings] == [at(9), at(11)]


async def test_what_is_not_known_any_more_is_asked_for_as_a_whole(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    assert words(await feed_setup.read(driver)) == ["read", "read"]
    forgotten = feed_setup.query(BOARDROOM, known=False)
    assert words(await feed_setup.read(driver, forgotten, LIBRARY)) == ["read", "unchanged"]
    feed_setup.clock.wait(days=1)  # another window
    assert words(await feed_setup.read(driver)) == ["read", "read"]
    assert words(await feed_setup.read(driver)) == ["unchanged", "unchanged"]
    other_zone = feed_setup.query(BOARDROOM, "America/New_York")
    assert words(await feed_setup.read(driver, other_zone)) == ["read"]


async def test_a_host_that_always_answers_unchanged_is_found_out_within_ten_minutes(
    feed_setup: FeedSetup,
) -> None:
    driver = feed_setup.open()
    await feed_setup.one(driver)
    feed_setup.publisher.book(BOARDROOM, at(9), at(10))
    feed_setup.publisher.faults.add(Fault(kind=Kind.UNCHANGED, room=BOARDROOM, times=9))
    for _ in range(9):
        feed_setup.clock.wait(minutes=1)
        assert word(await feed_setup.one(driver)) == "unchanged"
    feed_setup.clock.wait(minutes=1)
    assert len(await feed_setup.meetings(driver)) == 1


async def test_the_zone_that_a_feed_states_is_the_rooms_if_nobody_has_set_one(feed_setup: FeedSetup) -> None:
    day = event("DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261203")
    body = calendar(day, head=("X-WR-TIMEZONE:Europe/Berlin",)).decode()
    feed_setup.publisher.faults.add(Fault(kind=Kind.TEXT, room=BOARDROOM, detail=body))
    for own, start, zone in ((None, at(-1), "Europe/Berlin"), ("UTC", at(0), None)):
        driver = feed_setup.open(time_zone=own)
        assert [room.time_zone for room in await driver.find_rooms()] == [None, None]
        before = driver.room_circumstances
        (meeting,) = await feed_setup.meetings(driver)
        assert meeting.start == start
        assert [room.time_zone for room in await driver.find_rooms()] == [zone, None]
        assert (driver.room_circumstances != before) is (zone is not None)
        (set_for_room,) = await feed_setup.meetings(driver, feed_setup.query(BOARDROOM, "Asia/Tokyo"))
        assert set_for_room.start == at(-9)
        await feed_setup.meetings(driver)
        query = feed_setup.query(BOARDROOM)
        (set_to_utc,) = await feed_setup.meetings(
            driver, replace(query, room=replace(query.room, zone_is_set=True))
        )
        assert set_to_utc.start == at(0)
