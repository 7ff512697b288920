"""The demonstration's building as feeds, the settings that lead to it, and the command that starts it."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp

from placed_icalendar.simulator.demo import demo
from placed_icalendar.simulator.feed_host.feed_building import PublishedBuilding, build, building_of
from placed_simulator.building_file import load_scenario
from placed_simulator.building_life import BuildingChanges
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from pathlib import Path

    from placed_icalendar.simulator.feed_host import Publisher

COMMAND = (sys.executable, "-m", "placed_icalendar.simulator")


class Clock:
    """Time that passes only where a test has it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 12, 2, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


def occupied(publisher: Publisher) -> set[str]:
    """Rooms in which a meeting runs that occupies them."""
    building, now = PublishedBuilding(publisher), publisher.now()
    return {
        room
        for room, _ in building.rooms()
        if any(slot.occupies and slot.start <= now < slot.end for slot in building.slots(room))
    }


def test_the_building_lives_and_stays_small() -> None:
    clock = Clock()
    publisher = build(load_scenario(), clock)
    assert len(publisher.rooms()) == 12
    changes = BuildingChanges(PublishedBuilding(publisher), seed=1)
    seen = set()
    for _ in range(300):
        clock.moment += timedelta(seconds=8)
        assert changes.step()
        seen.add(frozenset(occupied(publisher)))
        assert 0 < len(occupied(publisher)) < 12
    assert len(seen) > 30
    assert sum(len(publisher.bookings.calendar(r.address).bookings) for r in publisher.rooms()) < 800


def test_a_big_building_has_eight_meetings_a_day_in_each_room() -> None:
    publisher = building_of(5, Clock())
    assert [len(publisher.bookings.calendar(room.address).bookings) for room in publisher.rooms()] == [8] * 5


async def test_the_demo_gives_a_connection_that_leads_to_it(tmp_path: Path) -> None:
    async with demo(tmp_path) as text:
        settings = tomllib.loads(text)
        (connection,) = settings["connections"]
        assert connection["driver"] == "icalendar"
        assert settings["rooms"]["library"]["building"] == "HQ"
        file = tmp_path / "library.link"
        assert connection["feeds"]["library"] == {"url_file": str(file)}
        assert file.stat().st_mode & 0o077 == 0
        context = ssl.create_default_context(cafile=connection["ca_file"])
        async with aiohttp.ClientSession() as session:
            found = []
            for link in (file.read_text("utf-8"), *connection["fence"]["canaries"]):
                async with session.get(link, ssl=context) as response:
                    found.append(response.status)
    assert found == [200, 404]


async def test_it_writes_what_a_daemon_needs_and_ends_at_a_signal(tmp_path: Path) -> None:
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "weekly.ics").write_text("BEGIN:VCALENDAR\nDTSTART:20261202T090000Z\nEND:VCALENDAR\n")
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("--write-config", str(tmp_path), "--rooms", "3", "--still", "--feeds", str(feeds)),
        *("--played", "2026-11-30"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert "with 4 rooms at https://localhost:" in first
    (connection,) = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]
    assert {*connection["feeds"]} == {"room-00000", "room-00001", "room-00002", "weekly"}
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
