"""Rooms that are shared with the service account are read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Reason
from placed_google import Google
from tests.drivers.google.driver_setup import BOARDROOM, LIBRARY, at, failure, words

if TYPE_CHECKING:
    from tests.drivers.google.driver_setup import DriverSetup


async def test_a_shared_room_is_read(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    driver = driver_setup.open()
    (meeting,) = await driver_setup.meetings(driver)
    assert (meeting.start, meeting.end, meeting.title) == (at(8), at(9), "Budget")


async def test_what_did_not_change_is_unchanged(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    driver = driver_setup.open()
    assert words(await driver_setup.read(driver)) == ["read", "read"]
    assert words(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
    driver_setup.workspace.book(BOARDROOM, at(10), at(11))
    assert words(await driver_setup.read(driver)) == ["read", "unchanged"]


async def test_an_answer_is_not_known_when_a_room_s_zone_is_set(driver_setup: DriverSetup) -> None:
    """The calendar states another zone, which counts no longer, although the answer is the same."""
    driver_setup.workspace.calendar(BOARDROOM).zone = "America/New_York"
    driver_setup.workspace.hold(BOARDROOM, date(2026, 12, 2), date(2026, 12, 3))
    driver = driver_setup.open()
    (meeting,) = await driver_setup.meetings(driver)
    assert meeting.start == at(5)
    query = driver_setup.query(BOARDROOM)
    (meeting,) = await driver_setup.meetings(
        driver, replace(query, room=replace(query.room, zone_is_set=True))
    )
    assert meeting.start == at(0)


async def test_a_clock_that_is_set_back_again_and_again_stops_no_reading(driver_setup: DriverSetup) -> None:
    """Whatever is counted by time is counted by the monotonic clock, here and by the service."""
    driver_setup.workspace.limits.per_user_minute = 10
    steady = iter(range(1000))
    surroundings = replace(driver_setup.surroundings(), steady=lambda: float(next(steady)))
    driver = Google.open(driver_setup.settings(), surroundings)
    driver_setup.drivers.append(driver)
    for number in range(10):
        driver_setup.workspace.book(BOARDROOM, at(8 + number), at(9 + number))
        assert words(await driver_setup.read(driver))[0] == "read"
        driver_setup.clock.advance(hours=-1)


async def test_a_room_that_is_not_shared_names_who_to_share_with(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.unshare(LIBRARY, driver_setup.account)
    shared, other = await driver_setup.read(driver_setup.open())
    assert words([shared, other]) == ["read", "not_found"]
    reason, remedy = failure(other)
    assert reason is Reason.NOT_FOUND
    assert driver_setup.account.email in remedy


async def test_when_a_meeting_was_booked_is_asked_only_where_rooms_have_a_check_in(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    (plain,) = await driver_setup.meetings(driver_setup.open())
    assert plain.created_at is None
    (booked,) = await driver_setup.meetings(driver_setup.open(check_in={}))
    assert booked.created_at == driver_setup.clock()
