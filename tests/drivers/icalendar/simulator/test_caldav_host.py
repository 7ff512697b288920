"""The simulated CalDAV server: its building, what people do in it, and the interface that plays it."""

from __future__ import annotations

import asyncio
import base64
import signal
import ssl
import sys
import tomllib
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from placed_icalendar.simulator.bookings.store_building import StoreBuilding, furnish, furnish_big
from placed_icalendar.simulator.caldav_host import BookingStore, CalDavHost
from placed_icalendar.simulator.caldav_host.caldav_demo import demo
from placed_simulator.building_file import load_scenario
from placed_simulator.building_life import BuildingChanges
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

COMMAND = (sys.executable, "-m", "placed_icalendar.simulator.caldav_host")
NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)
WHO = b'<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment


def occupied(store: BookingStore) -> set[str]:
    """Rooms in which a meeting runs that occupies them."""
    building, now = StoreBuilding(store), store.now()
    return {
        name
        for name, _ in building.rooms()
        if any(slot.occupies and slot.start <= now < slot.end for slot in building.slots(name))
    }


def test_the_building_has_a_day_of_all_kinds() -> None:
    store = BookingStore(Now())
    furnish(store, load_scenario())
    bookings = [one for room in store.rooms() for one in room.bookings.values()]
    assert len(store.rooms()) == 12
    assert any(one.all_day for one in bookings)
    assert {one.show_as for one in bookings} == {"busy", "tentative", "free"}
    assert any(one.private for one in bookings)
    assert any(one.cancelled for one in bookings)
    assert 0 < len(occupied(store)) < 12


def test_a_long_life_stays_small_and_balanced() -> None:
    now = Now()
    store = BookingStore(now)
    furnish(store, load_scenario())
    changes = BuildingChanges(StoreBuilding(store), seed=1)
    seen = set()
    for _ in range(300):
        now.moment += timedelta(seconds=8)
        assert changes.step()
        seen.add(frozenset(occupied(store)))
        assert 0 < len(occupied(store)) < 12
    assert len(seen) > 50


def test_a_big_building_has_as_many_rooms_as_were_asked_for() -> None:
    store = BookingStore(Now())
    furnish_big(store, 30)
    assert len(store.rooms()) == 30
    assert {len(room.bookings) for room in store.rooms()} == {8}


async def test_the_demonstration_gives_settings_that_lead_to_it(tmp_path: Path) -> None:
    async with demo(tmp_path, rooms=3) as settings:
        (table,) = tomllib.loads(settings)["connections"]
        assert table["driver"] == "caldav"
        assert len(table["fence"]["canaries"]) == 1
        context = ssl.create_default_context(cafile=table["ca_file"])
        login = f"{table['username']}:{(tmp_path / 'placed-password').read_text()}"
        headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request("PROPFIND", table["url"], data=WHO, headers=headers, ssl=context) as response,
        ):
            assert response.status == 207


class Play:
    """Calls of the control interface."""

    def __init__(self, host: CalDavHost, session: aiohttp.ClientSession) -> None:
        self.host = host
        self._session = session

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """What it answers, which is 200."""
        status, answer = await self.status(method, path, body)
        assert status == 200, answer
        return answer

    async def status(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        context = ssl.create_default_context(cafile=self.host.ca_file)
        url = f"{self.host.url}/_control/{path}"
        async with self._session.request(method, url, json=body, ssl=context) as response:
            return response.status, await response.json()


@asynccontextmanager
async def played() -> AsyncIterator[Play]:
    async with CalDavHost(BookingStore(Now())) as host, aiohttp.ClientSession() as session:
        yield Play(host, session)


async def test_another_process_can_play_all_of_it() -> None:
    async with played() as play:
        await play.call("POST", "calendars", {"name": "boardroom", "zone": "Europe/Berlin"})
        await play.call("POST", "calendars/boardroom/share", {})
        booked = await play.call(
            "POST", "bookings", {"calendar": "boardroom", "start": "now", "end": "+1h", "summary": "Budget"}
        )
        store = play.host.store
        assert store.calendar("boardroom").bookings[booked["id"]].end == NOON + timedelta(hours=1)
        await play.call("POST", f"bookings/{booked['id']}/move", {"start": "+1h", "end": "+2h"})
        assert store.calendar("boardroom").bookings[booked["id"]].start == NOON + timedelta(hours=1)
        await play.call("POST", f"bookings/{booked['id']}/cancel")
        (calendar,) = await play.call("GET", "calendars")
        assert (calendar["shared"], calendar["bookings"][0]["cancelled"]) == ("read", True)
        await play.call("DELETE", f"bookings/{booked['id']}")
        await play.call("POST", "account", {"locked": True, "sees_principals": True})
        assert play.host.account.locked
        await play.call("POST", "faults", {"kind": "status", "status": 500, "room": "boardroom"})
        assert len(play.host.faults.active()) == 1
        assert await play.call("DELETE", "faults") == []
        assert await play.call("GET", "requests") == []
        await play.call("DELETE", "calendars/boardroom/share")
        assert await play.call("DELETE", "calendars/boardroom") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("PUT", "calendars", None, 404),
        ("POST", "bookings", {"calendar": "none", "start": "now", "end": "+1h"}, 404),
        ("POST", "bookings", {"calendar": "none"}, 400),
        ("POST", "bookings", {"calendar": "none", "start": "soon", "end": "+1h"}, 400),
        ("POST", "faults", {"kind": "status", "times": 0}, 400),
        ("GET", "account", None, 404),
        ("DELETE", "calendars/none", None, 404),
    ],
)
async def test_a_wrong_call_is_named(method: str, path: str, body: object, status: int) -> None:
    async with played() as play:
        found, answer = await play.status(method, path, body)
        assert (found, bool(answer["error"])) == (status, True)


async def test_it_writes_what_a_daemon_needs_and_ends_at_a_signal(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--write-config", str(tmp_path), "--rooms", "3", "--still", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert "with 3 rooms at https://localhost:" in first
    (table,) = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]
    assert table["url"] == first.split()[-1]
    assert (tmp_path / "placed-password").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0
    assert b"[[connections]]" in output


async def test_an_unreadable_scenario_is_a_usage_error(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--scenario", str(tmp_path / "none.toml"), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 2
    assert b"none.toml" in errors
