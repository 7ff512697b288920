"""Every answer of Google is limited in size and in time; those to writes are in `booking`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from placed.driver import DriverError
from placed.driver.network import http_session
from placed_google.auth import key_sign_in
from placed_google.calendars import room_calendar
from placed_google.simulator import Fault, Kind, Where
from tests.drivers.google.driver_setup import BOARDROOM, at, words

if TYPE_CHECKING:
    from tests.drivers.google.driver_setup import DriverSetup

SMALL = 300  # bytes; more than an answer without events has, and less than one with an event or rooms
SOON = aiohttp.ClientTimeout(total=0.2)
LATE = 30.0  # seconds


def limit_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session, "LARGEST", SMALL)


def limit_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the sessions that are opened from now on."""
    monkeypatch.setattr(http_session, "_TIMEOUT", SOON)


async def test_an_answer_with_calendars_is_limited_in_size_and_fails_the_large_room_alone(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    limit_size(monkeypatch)
    assert words(await driver_setup.read(driver_setup.open())) == ["malformed", "read"]


async def test_an_answer_with_rooms_is_limited_in_size(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver_setup.account.reads_directory = True
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id)
    limit_size(monkeypatch)
    with pytest.raises(DriverError, match="larger than any expected one"):
        await driver.find_rooms()


async def test_an_answer_with_a_token_is_limited_in_size(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sign_in, "LARGEST_TOKEN", 20)
    with pytest.raises(DriverError, match="larger than any expected one"):
        await driver_setup.read(driver_setup.open())


@pytest.mark.parametrize("where", [Where.API, Where.BATCH, Where.CALENDAR])
async def test_an_answer_with_calendars_is_limited_in_time(
    driver_setup: DriverSetup, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_time(monkeypatch)
    driver_setup.workspace.faults.add(Fault(kind=Kind.DELAY, where=where, seconds=LATE))
    assert words(await driver_setup.read(driver_setup.open())) == ["unavailable", "unavailable"]


async def test_an_answer_with_rooms_is_limited_in_time(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_time(monkeypatch)
    driver_setup.account.reads_directory = True
    driver_setup.workspace.faults.add(Fault(kind=Kind.DELAY, where=Where.DIRECTORY, seconds=LATE))
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id)
    with pytest.raises(DriverError):
        await driver.find_rooms()


async def test_the_sign_in_is_limited_in_time(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_time(monkeypatch)
    driver_setup.workspace.faults.add(Fault(kind=Kind.DELAY, where=Where.TOKEN, seconds=LATE))
    with pytest.raises(DriverError):
        await driver_setup.read(driver_setup.open())


async def test_all_pages_of_a_room_together_are_limited_in_time(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_calendar, "TIMEOUT", 0.0)
    driver_setup.workspace.faults.endless(room=BOARDROOM)
    assert words(await driver_setup.read(driver_setup.open())) == ["unavailable", "read"]
