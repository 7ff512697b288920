"""What people reported of other programs that read feeds, by issue; here over sockets, with the driver."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, at, failed, word, words

if TYPE_CHECKING:
    import pytest

    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup


async def test_home_assistant_core_38360_an_exchange_link_is_a_feed_like_any_other(
    feed_setup: FeedSetup,
) -> None:
    feed_setup.publisher.add_room("boardroom@contoso.example", link="exchange")
    feed_setup.publisher.book("boardroom@contoso.example", at(9), at(10), response="ACCEPTED")
    feed_setup.publisher.book("boardroom@contoso.example", at(11), at(12), response="DECLINED")
    link = feed_setup.host.link_of("boardroom@contoso.example")
    driver = feed_setup.open(feeds={"Boardroom@contoso.example": link.replace("https", "webcal")})
    (room,) = await driver.find_rooms()
    assert (room.address, room.mailbox) == ("Boardroom@contoso.example", "boardroom@contoso.example")
    accepted, declined = await feed_setup.meetings(driver, "boardroom@contoso.example")
    assert (accepted.declined, declined.declined) == (False, True)


async def test_home_assistant_core_142164_a_feed_that_is_not_understood_is_refused_alone(
    feed_setup: FeedSetup,
) -> None:
    feed_setup.publisher.book(LIBRARY, at(9), at(10))
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Customized Zone of Ada:20261202T090000\r\n"
        "DTEND;TZID=Customized Zone of Ada:20261202T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    feed_setup.publisher.write(BOARDROOM, text)
    spoilt, other = await feed_setup.read(feed_setup.open())
    assert words([spoilt, other]) == ["malformed", "read"]
    assert "line 4" in failed(spoilt).problem.text
    assert "DTSTART" in failed(spoilt).problem.text
    assert "Ada" not in failed(spoilt).problem.line


async def test_ics_calendar_45_and_113_an_unreadable_feed_stops_nothing_and_recovers(
    feed_setup: FeedSetup,
) -> None:
    driver = feed_setup.open()
    for kind in (Kind.DROP, Kind.LOGIN_PAGE, Kind.SHORT, Kind.GARBLED):
        feed_setup.publisher.faults.add(Fault(kind=kind, room=BOARDROOM))
        for _ in range(3):
            spoilt, other = await feed_setup.read(driver)
            assert word(spoilt) in {"malformed", "unavailable"}
            assert word(other) in {"read", "unchanged"}
        feed_setup.publisher.faults.clear()
        assert word(await feed_setup.one(driver)) == "read"


async def test_magic_mirror_a_feed_is_asked_for_once_a_reading_and_not_for_each_event(
    feed_setup: FeedSetup,
) -> None:
    for hour in range(8, 18):
        feed_setup.publisher.book(BOARDROOM, at(hour), at(hour, 30))
    driver = feed_setup.open()
    await feed_setup.one(driver)
    await feed_setup.one(driver)
    assert feed_setup.statuses == [200, 304]


async def test_calendar_resource_management_194_a_user_s_public_link_of_nextcloud_is_a_room(
    feed_setup: FeedSetup,
) -> None:
    feed_setup.publisher.add_room("annex", link="nextcloud")
    feed_setup.publisher.book("annex", at(9), at(10))
    assert len(await feed_setup.meetings(feed_setup.open(), "annex")) == 1


async def test_a_publisher_s_copy_of_yesterday_is_shown_as_it_is(feed_setup: FeedSetup) -> None:
    """Nothing in the protocol shows the delay; see the doctor's finding `freshness`."""
    driver = feed_setup.open()
    feed_setup.clock.wait(hours=1)
    feed_setup.publisher.book(BOARDROOM, at(9), at(10))
    feed_setup.publisher.delay = timedelta(minutes=30)
    assert await feed_setup.meetings(driver) == ()
    feed_setup.clock.wait(minutes=31)
    assert len(await feed_setup.meetings(driver)) == 1


async def test_a_calendar_that_always_had_events_and_has_none_is_logged_once(
    feed_setup: FeedSetup, caplog: pytest.LogCaptureFixture
) -> None:
    driver = feed_setup.open()
    uids = [feed_setup.publisher.book(BOARDROOM, at(hour), at(hour, 30)) for hour in (9, 10, 11)]
    with caplog.at_level(logging.WARNING):
        await feed_setup.one(driver)
        for uid in uids[:2]:
            feed_setup.publisher.delete(uid)
            await feed_setup.one(driver)
        assert caplog.text == ""
        feed_setup.publisher.delete(uids[2])
        assert await feed_setup.meetings(driver) == ()
        await feed_setup.one(driver)
    assert caplog.text.count("the feed of room boardroom has no event any more") == 1
