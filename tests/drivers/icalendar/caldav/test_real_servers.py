"""The driver against Radicale and Xandikos: what they store is read right, and the fence of Radicale holds.

Times of a building with 100 rooms are printed: `pytest -s -m long` shows them.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Meeting, Room
from placed.driver import Answer, FenceState, FoundRoom, Query, Read, Surroundings, Unchanged
from placed_icalendar import CalDav
from placed_icalendar.caldav.caldav_settings import CalDavSettings
from placed_icalendar.caldav.diagnosis import DavExamination
from tests.drivers.icalendar.caldav.real_servers import READER, Owner, Radicale, RealServer, Xandikos

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow  # both take two seconds to start

BERLIN = ZoneInfo("Europe/Berlin")
SINCE = datetime(2027, 3, 25, 23, tzinfo=UTC)  # Friday 26 to Monday 29 March in Berlin: the clocks change
UNTIL = datetime(2027, 3, 29, 22, tzinfo=UTC)
MANY = 100


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2027 in Berlin."""
    return datetime(2027, 3, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


class Reading:
    """A driver, and the rooms that it found."""

    def __init__(self, server: RealServer, owner: Owner, driver: CalDav) -> None:
        self.server = server
        self.owner = owner
        self.driver = driver

    async def rooms(self) -> Sequence[FoundRoom]:
        return await self.driver.find_rooms()

    async def read(self) -> dict[str, Answer]:
        rooms = [
            Room(found.address, "dav", found.address, found.mailbox, found.name or "", BERLIN)
            for found in await self.rooms()
        ]
        queries = [Query(room, SINCE, UNTIL) for room in rooms]
        return {answer.query.room.id: answer async for answer in self.driver.read(queries)}

    async def times(self, room: str) -> list[tuple[datetime, datetime]]:
        """Of the meetings in a room."""
        return [(meeting.start, meeting.end) for meeting in await self.meetings(room)]

    async def meetings(self, room: str) -> Sequence[Meeting]:
        answer = (await self.read())[room]
        assert isinstance(answer, Read), answer
        return answer.meetings


def settings(server: RealServer, **changes: object) -> CalDavSettings:
    keys: dict[str, object] = {
        "name": "dav",
        "url": f"{server.url}{server.rooms}",
        "username": READER,
        "password_file": server.password_file,
        "ca_file": server.ca_file,
        "fence": {"canaries": [f"{server.url}{server.people}calendar/"]},
        **changes,
    }
    return CalDavSettings.model_validate(keys)


def surroundings() -> Surroundings:
    return Surroundings(lambda: SINCE + timedelta(hours=10), 8, details=True, version="1.2.3")


@pytest.fixture(params=[Radicale, Xandikos])
async def reading(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reading]:
    server: RealServer = request.param(tmp_path)
    async with server.running() as owner:
        for folder in ("/owner/", server.rooms, server.people):
            await owner.make_folder(folder)
        for name in ("boardroom", "library"):
            await owner.make_calendar(f"{server.rooms}{name}/", name.title())
        await owner.make_calendar(f"{server.people}calendar/", "Ada")
        driver = CalDav.open(settings(server), surroundings())
        try:
            yield Reading(server, owner, driver)
        finally:
            await driver.close()


async def test_calendars_of_a_home_are_rooms(reading: Reading) -> None:
    found = {room.address: room.name for room in await reading.rooms()}
    assert found == {"boardroom": "Boardroom", "library": "Library"}


async def test_occurrences_are_right_across_the_change_of_clocks(reading: Reading) -> None:
    """Series with an exception, a moved occurrence, one moved into the window, an all-day meeting."""
    put, room = reading.owner.put, f"{reading.server.rooms}boardroom/"
    zone = "DTSTART;TZID=Europe/Berlin"
    await put(
        f"{room}daily.ics",
        f"UID:daily\nDTSTAMP:20270101T000000Z\n{zone}:20270315T090000\nDTEND;TZID=Europe/Berlin:20270315T100000\n"
        "RRULE:FREQ=DAILY;COUNT=20\nEXDATE;TZID=Europe/Berlin:20270327T090000\nSUMMARY:Stand-up",
        "UID:daily\nDTSTAMP:20270101T000000Z\nRECURRENCE-ID;TZID=Europe/Berlin:20270329T090000\n"
        f"{zone}:20270329T113000\nDTEND;TZID=Europe/Berlin:20270329T120000\nSUMMARY:Stand-up",
    )
    await put(
        f"{room}moved-in.ics",
        f"UID:moved-in\nDTSTAMP:20270101T000000Z\n{zone}:20270103T140000\n"
        "DTEND;TZID=Europe/Berlin:20270103T150000\nRRULE:FREQ=MONTHLY;COUNT=6\nSUMMARY:Board",
        "UID:moved-in\nDTSTAMP:20270101T000000Z\nRECURRENCE-ID;TZID=Europe/Berlin:20270403T140000\n"
        f"{zone}:20270326T160000\nDTEND;TZID=Europe/Berlin:20270326T170000\nSUMMARY:Board",
    )
    await put(
        f"{room}day.ics",
        "UID:day\nDTSTAMP:20270101T000000Z\nDTSTART;VALUE=DATE:20270328\nDTEND;VALUE=DATE:20270329\nSUMMARY:Fair",
    )
    assert await reading.times("boardroom") == [
        (local(26, 9), local(26, 10)),
        (local(26, 16), local(26, 17)),
        (local(28, 0), local(29, 0)),
        (local(28, 9), local(28, 10)),
        (local(29, 11, 30), local(29, 12)),
    ]
    assert local(28, 9) - local(27, 9) == timedelta(hours=23)


async def test_only_what_changed_is_read_again(reading: Reading) -> None:
    room = f"{reading.server.rooms}library/"
    event = "UID:one\nDTSTAMP:20270101T000000Z\nDTSTART:20270326T{}0000Z\nDTEND:20270326T150000Z\nSUMMARY:One"
    await reading.owner.put(f"{room}one.ics", event.format("12"))
    assert {type(answer) for answer in (await reading.read()).values()} == {Read}
    assert {type(answer) for answer in (await reading.read()).values()} == {Unchanged}
    await reading.owner.put(f"{room}one.ics", event.format("13"))
    kinds = {name: type(answer) for name, answer in (await reading.read()).items()}
    assert kinds == {"boardroom": Unchanged, "library": Read}
    assert await reading.owner.send("DELETE", f"{room}one.ics") in (200, 204)
    assert await reading.times("library") == []


async def test_calendars_come_and_go(reading: Reading) -> None:
    await reading.owner.make_calendar(f"{reading.server.rooms}studio/", "Studio")
    assert [room.address for room in await reading.rooms()] == ["boardroom", "library", "studio"]
    assert await reading.owner.send("DELETE", f"{reading.server.rooms}boardroom/") in (200, 204)
    assert [room.address for room in await reading.rooms()] == ["library", "studio"]


async def test_the_fence_is_what_the_server_has(reading: Reading) -> None:
    """Radicale has rights; every account of Xandikos may do everything."""
    await reading.read()
    fence = await reading.driver.try_fence()
    if isinstance(reading.server, Radicale):
        assert (fence.state, fence.excess, fence.warnings) == (FenceState.VERIFIED, (), ())
    else:
        assert fence.state is FenceState.BREACHED
        assert "may change bookings" in fence.excess


async def test_the_doctor_finds_every_link_sound(reading: Reading) -> None:
    here = Surroundings(lambda: datetime.now(UTC), 8, details=True, version="1.2.3")
    examination = DavExamination(settings(reading.server), here)
    found = {finding.check: finding async for finding in examination.examine()}
    bad = {check: finding.text for check, finding in found.items() if finding.verdict != "good"}
    assert bad.keys() == (set() if isinstance(reading.server, Radicale) else {"privileges"}), bad
    for finding in await examination.look_at_habits(await reading.rooms()):
        assert finding.verdict == "good", finding


@pytest.mark.long  # two servers that are not ours are filled with calendars
async def test_100_rooms_are_read_within_seconds(
    reading: Reading, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first reading reads all, the second only the tags."""
    limit = asyncio.Semaphore(4)

    async def fill(number: int) -> None:
        path = f"{reading.server.rooms}room-{number:03}/"
        async with limit:
            await reading.owner.make_calendar(path, f"Room {number}")
            await reading.owner.put(
                f"{path}daily.ics",
                f"UID:daily-{number}\nDTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:20270315T090000\n"
                "DTEND;TZID=Europe/Berlin:20270315T100000\nRRULE:FREQ=DAILY;COUNT=20\nSUMMARY:Stand-up",
            )

    await asyncio.gather(*(fill(number) for number in range(MANY)))
    await reading.rooms()
    begun = time.perf_counter()
    first = await reading.read()
    full = time.perf_counter() - begun
    begun = time.perf_counter()
    second = await reading.read()
    tags = time.perf_counter() - begun
    with capsys.disabled():
        name = type(reading.server).__name__
        print(f"\n{name}: {len(first)} rooms read in {full:.2f} s, tags alone in {tags:.2f} s")  # noqa: T201
    many = [answer for room, answer in first.items() if room.startswith("room-")]
    assert len(many) == MANY
    assert all(isinstance(answer, Read) and len(answer.meetings) == 4 for answer in many)
    assert {type(answer) for answer in second.values()} == {Unchanged}
