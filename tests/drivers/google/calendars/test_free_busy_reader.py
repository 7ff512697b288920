"""Where full readings exceed the budget, free/busy shows which calendars have to be read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import Failed, Read, StillHolds
from placed_google.auth.scopes import EVENTS
from placed_google.calendars import change_detector, paced_reader
from placed_google.calendars.request_budget import RequestBudget
from placed_google.simulator import Where
from tests.drivers.google.driver_setup import ADA, BOARDROOM, LIBRARY, DriverSetup, at, words

if TYPE_CHECKING:
    from placed_google.api.reply import Reply


@pytest.fixture(autouse=True)
def _short_of_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free/busy comes first, and nothing is left for calendars that it shows as unchanged."""
    monkeypatch.setattr(paced_reader, "_MANY", 0.0)
    monkeypatch.setattr(change_detector, "_RESERVE", 1.0)


def full_readings(driver_setup: DriverSetup) -> int:
    return len(driver_setup.asked("/events?"))


async def test_a_calendar_whose_free_busy_did_not_change_still_holds(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    driver = driver_setup.open()
    assert words(await driver_setup.read(driver)) == ["read", "read"]
    readings = full_readings(driver_setup)
    driver_setup.clock.advance(seconds=30)
    answers = await driver_setup.read(driver)
    assert words(answers) == ["stillholds", "stillholds"]
    assert all(isinstance(a, StillHolds) and a.asked_at == driver_setup.clock() for a in answers)
    assert full_readings(driver_setup) == readings


async def test_a_calendar_whose_free_busy_changed_is_read_in_full(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.book(LIBRARY, at(10), at(11))
    boardroom, library = await driver_setup.read(driver)
    assert isinstance(boardroom, StillHolds)
    assert isinstance(library, Read)
    assert [meeting.start for meeting in library.meetings] == [at(10)]


async def test_a_calendar_is_read_in_full_when_its_room_s_zone_is_set(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    query = driver_setup.query(BOARDROOM)
    zone_is_set = replace(query, room=replace(query.room, zone_is_set=True))
    assert words(await driver_setup.read(driver, zone_is_set, LIBRARY)) == ["read", "stillholds"]


async def test_what_changes_between_free_busy_and_reading_is_seen_in_the_next(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = driver_setup.open()
    take = RequestBudget.take

    async def book_in_between(budget: RequestBudget, number: int) -> None:
        if number == 2:  # the batch; free/busy is one request
            driver_setup.workspace.book(BOARDROOM, at(12), at(13))
        await take(budget, number)

    monkeypatch.setattr(RequestBudget, "take", book_in_between)
    await driver_setup.read(driver)
    monkeypatch.setattr(RequestBudget, "take", take)
    assert words(await driver_setup.read(driver)) == ["unchanged", "stillholds"]


async def test_what_is_not_known_any_more_is_read_in_full(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    query = driver_setup.query(BOARDROOM)
    forgotten = type(query)(query.room, query.since, query.until, known=False)
    assert words(await driver_setup.read(driver, forgotten, LIBRARY)) == ["read", "stillholds"]


async def test_another_window_is_read_in_full(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.clock.advance(days=1)
    assert words(await driver_setup.read(driver)) == ["read", "read"]


async def test_a_room_that_is_not_shared_is_not_found_and_not_free(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.unshare(LIBRARY, driver_setup.account)
    boardroom, library = await driver_setup.read(driver)
    assert isinstance(boardroom, StillHolds)
    assert isinstance(library, Failed)
    assert library.reason is Reason.NOT_FOUND
    assert driver_setup.account.email in library.problem.remedy


async def test_free_busy_that_fails_confirms_no_room(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.faults.status(503, where=Where.FREE_BUSY)
    assert words(await driver_setup.read(driver)) == ["unavailable", "unavailable"]


async def test_where_free_busy_is_not_permitted_calendars_are_read_in_full(
    driver_setup: DriverSetup,
) -> None:
    """Under delegation its scope has to be granted, too."""
    driver_setup.workspace.delegate(driver_setup.account, EVENTS)
    driver = driver_setup.open(subject=ADA, requests_per_minute=60)
    before = driver.shortest_interval(100)
    assert words(await driver_setup.read(driver)) == ["read", "read"]
    assert words(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
    assert before < driver.shortest_interval(100) == timedelta(seconds=100)


async def test_details_that_free_busy_does_not_show_are_read_later(driver_setup: DriverSetup) -> None:
    event = driver_setup.workspace.book(BOARDROOM, at(8), at(9), transparency="transparent")
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.cancel(event)
    assert words(await driver_setup.read(driver, BOARDROOM)) == ["stillholds"]


@pytest.mark.parametrize("calendar", [{}, {"busy": None}, {"errors": []}])
async def test_a_calendar_without_busy_is_not_free(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, calendar: dict[str, Any]
) -> None:
    """It was free before; a booking would not be seen if no answer counted as the same answer."""
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    ask = driver._clients.free_busy.ask

    async def answer(*asked: Any) -> Reply:
        found = await ask(*asked)
        content = json.loads(bytes(found.body))
        content["calendars"] = dict.fromkeys(content["calendars"], calendar)
        return replace(found, body=json.dumps(content).encode())

    monkeypatch.setattr(driver._clients.free_busy, "ask", answer)
    boardroom, _ = await driver_setup.read(driver)
    assert not isinstance(boardroom, StillHolds)
