"""Calendars over CalDAV: what changed is read, and one request asks for the tags of all."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from placed.driver import Query
from placed_icalendar.caldav import change_tags
from placed_icalendar.simulator.caldav_host import DavFault, Kind
from tests.drivers.icalendar.caldav.caldav_setup import BERLIN, at, words

if TYPE_CHECKING:
    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup


async def test_a_shared_calendar_is_read(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.book("boardroom", at(8), at(9), summary="Budget, and; more")
    (meeting,) = await caldav_setup.meetings(caldav_setup.open())
    assert (meeting.start, meeting.end, meeting.title) == (at(8), at(9), "Budget, and; more")


async def test_titles_are_not_read_where_they_are_not_wanted(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.book("boardroom", at(8), at(9), summary="Budget")
    (meeting,) = await caldav_setup.meetings(caldav_setup.open(details=False))
    assert meeting.title is None


async def test_when_a_meeting_was_booked_is_read_where_rooms_have_a_check_in(
    caldav_setup: CalDavSetup,
) -> None:
    caldav_setup.store.book("boardroom", at(8), at(9))
    (plain,) = await caldav_setup.meetings(caldav_setup.open())
    assert plain.created_at is None
    (booked,) = await caldav_setup.meetings(caldav_setup.open(check_in={}))
    assert booked.created_at == caldav_setup.clock()


async def test_one_request_asks_whether_anything_changed(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    assert words(await caldav_setup.read(driver)) == ["read", "read"]
    caldav_setup.host.clear_requests()
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    assert [one.method for one in caldav_setup.host.requests] == ["PROPFIND"]
    caldav_setup.store.book("boardroom", at(10), at(11))
    assert words(await caldav_setup.read(driver)) == ["read", "unchanged"]
    assert caldav_setup.asked("REPORT") == [caldav_setup.room("boardroom").mailbox]


async def test_the_server_is_never_asked_to_expand_series(caldav_setup: CalDavSetup) -> None:
    """It would leave occurrences out, as servers have been seen to."""
    caldav_setup.store.book("boardroom", at(8), at(9), rule="FREQ=DAILY;COUNT=5")
    caldav_setup.store.book("boardroom", at(12), at(13))
    found = await caldav_setup.meetings(caldav_setup.open())
    assert [meeting.start for meeting in found] == [at(8), at(12), at(32)]
    assert caldav_setup.host.service.queries.expansions == 0


async def test_another_window_is_read(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.clock.advance(days=1)
    assert words(await caldav_setup.read(driver)) == ["read", "read"]


async def test_another_time_zone_is_read(caldav_setup: CalDavSetup) -> None:
    """All-day meetings are in the room's."""
    caldav_setup.store.book("boardroom", date(2026, 12, 2), date(2026, 12, 3))
    driver = caldav_setup.open()
    (before,) = await caldav_setup.meetings(driver, caldav_setup.query("boardroom"))
    assert (before.start, before.all_day) == (at(0), True)
    (after,) = await caldav_setup.meetings(driver, caldav_setup.query("boardroom", BERLIN))
    assert after.start == at(-1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin"])
async def test_an_all_day_meeting_is_found_in_every_time_zone(caldav_setup: CalDavSetup, zone: str) -> None:
    """The server takes the day for one in UTC, which is up to 14 hours from the room's."""
    query = caldav_setup.query("boardroom", zone)
    room_zone = query.room.time_zone
    first = query.since.astimezone(room_zone).date()
    last = query.until.astimezone(room_zone).date()
    for number in range((last - first).days):
        day = date.fromordinal(first.toordinal() + number)
        caldav_setup.store.book("boardroom", day, date.fromordinal(day.toordinal() + 1))
    found = await caldav_setup.meetings(caldav_setup.open(), query)
    assert len(found) == (last - first).days == 3


async def test_what_is_not_known_any_more_is_read_though_the_tag_is_the_same(
    caldav_setup: CalDavSetup,
) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    query = caldav_setup.query("boardroom")
    forgotten = Query(query.room, query.since, query.until, known=False)
    assert words(await caldav_setup.read(driver, forgotten)) == ["read"]


async def test_a_calendar_is_read_when_its_room_s_zone_is_set_though_the_tag_is_the_same(
    caldav_setup: CalDavSetup,
) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    query = caldav_setup.query("boardroom")
    zone_is_set = replace(query, room=replace(query.room, zone_is_set=True))
    assert words(await caldav_setup.read(driver, query)) == ["unchanged"]
    assert words(await caldav_setup.read(driver, zone_is_set)) == ["read"]


# --- tags that are not what they should be ---


async def test_a_tag_that_never_changes_while_data_do_is_found_out(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.FROZEN_TAG, room="boardroom"))
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.store.book("boardroom", at(10), at(11))
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    caldav_setup.clock.advance(seconds=change_tags.FULL_WITHIN)
    assert words(await caldav_setup.read(driver)) == ["read", "unchanged"]
    # From the next reading on the tag is known to be wrong, and the calendar is read each time.
    caldav_setup.clock.advance(seconds=30)
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    for hour in (12, 14):
        caldav_setup.clock.advance(seconds=30)
        caldav_setup.store.book("boardroom", at(hour), at(hour + 1))
        assert words(await caldav_setup.read(driver)) == ["read", "unchanged"]


async def test_a_change_between_the_tag_and_the_reading_makes_no_tag_doubtful(
    caldav_setup: CalDavSetup,
) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    frozen = caldav_setup.host.faults.add(DavFault(kind=Kind.FROZEN_TAG, room="boardroom"))
    await caldav_setup.read(driver)
    caldav_setup.store.book("boardroom", at(10), at(11))
    caldav_setup.clock.advance(seconds=change_tags.FULL_WITHIN)
    await caldav_setup.read(driver)
    caldav_setup.host.faults.remove(frozen)  # the tag comes later than the change
    await caldav_setup.read(driver)
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    caldav_setup.host.clear_requests()
    await caldav_setup.read(driver)
    assert caldav_setup.asked("REPORT") == []


async def test_a_tag_that_changes_each_time_makes_no_news(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.RESTLESS_TAG))
    caldav_setup.store.book("boardroom", at(8), at(9))
    driver = caldav_setup.open()
    assert words(await caldav_setup.read(driver)) == ["read", "read"]
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    caldav_setup.store.book("library", at(8), at(9))
    assert words(await caldav_setup.read(driver)) == ["unchanged", "read"]


@pytest.mark.parametrize("status", [403, 412, 507])
async def test_a_refused_sync_token_leaves_the_ctag(caldav_setup: CalDavSetup, status: int) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.SYNC_TOKEN, status=status))
    driver = caldav_setup.open()
    assert words(await caldav_setup.read(driver)) == ["read", "read"]
    caldav_setup.host.clear_requests()
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    assert caldav_setup.asked("REPORT") == []
    caldav_setup.store.book("library", at(8), at(9))
    assert words(await caldav_setup.read(driver)) == ["unchanged", "read"]


async def test_every_calendar_is_read_in_full_every_few_minutes(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.host.clear_requests()
    for _ in range(9):
        caldav_setup.clock.advance(seconds=30)
        await caldav_setup.read(driver)
    assert sorted(caldav_setup.asked("REPORT")) == [
        caldav_setup.room(name).mailbox for name in ("boardroom", "library")
    ]


# --- addresses ---


@pytest.mark.parametrize("kind", [Kind.ABSOLUTE, Kind.ENCODED, Kind.NO_SLASH])
async def test_addresses_are_compared_however_they_are_spelled(caldav_setup: CalDavSetup, kind: Kind) -> None:
    driver = caldav_setup.open()
    assert words(await caldav_setup.read(driver)) == ["read", "read"]
    detail = caldav_setup.host.url if kind is Kind.ABSOLUTE else ""
    caldav_setup.host.faults.add(DavFault(kind=kind, detail=detail))
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    caldav_setup.store.book("boardroom", at(8), at(9))
    assert words(await caldav_setup.read(driver)) == ["read", "unchanged"]


async def test_a_proxy_s_other_host_in_addresses_of_calendars_changes_nothing(
    caldav_setup: CalDavSetup,
) -> None:
    """A server behind a proxy may write the name that it has there."""
    caldav_setup.host.faults.add(DavFault(kind=Kind.ABSOLUTE, detail="http://inner.example:5232"))
    driver = caldav_setup.open()
    assert [room.address for room in await driver.find_rooms()] == ["boardroom", "library"]
    assert words(await caldav_setup.read(driver)) == ["read", "read"]
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    assert {one.status for one in caldav_setup.host.requests} == {207}
