"""A driver that reads the simulated host of feeds, over real TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, Room, window
from placed.driver import Answer, Failed, Query, Read, ServiceTime, Surroundings
from placed_icalendar import ICalendar
from placed_icalendar.feeds.feed_settings import ICalendarSettings
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from placed_icalendar.simulator.feed_host import FeedHost, Publisher

TODAY = datetime(2026, 12, 2, tzinfo=UTC)
BOARDROOM, LIBRARY = "boardroom", "library"


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day at which the clock begins, at 7:30."""
    return TODAY + timedelta(hours=hour, minutes=minute)


@dataclass
class Clock:
    """Time that passes only where a test has it."""

    moment: datetime = field(default_factory=lambda: at(7, 30))

    def __call__(self) -> datetime:
        return self.moment

    def wait(self, **length: float) -> None:
        """Time passes."""
        self.moment += timedelta(**length)


def room_of(address: str, zone: str = "UTC") -> Room:
    name = address.partition("@")[0]
    return Room(name, "feeds", address, address, name, ZoneInfo(zone))


@dataclass
class FeedSetup:
    """The simulated host with two rooms, and everything to open drivers for it."""

    host: FeedHost
    clock: Clock
    folder: Path
    drivers: list[ICalendar] = field(default_factory=list)
    times: list[ServiceTime] = field(default_factory=list)

    @property
    def publisher(self) -> Publisher:
        return self.host.publisher

    def secret_file(self, name: str, content: str) -> Path:
        """A file that only its owner can read."""
        path = self.folder / name
        write_secret(path, content)
        return path

    def settings(self, **changes: Any) -> ICalendarSettings:
        """With the feeds of all rooms, unless changed."""
        keys: dict[str, Any] = {
            "name": "feeds",
            "feeds": {room.address: self.host.link_of(room.address) for room in self.publisher.rooms()},
            "ca_file": self.host.ca_file,
            **changes,
        }
        return ICalendarSettings(**{key: value for key, value in keys.items() if value is not None})

    def surroundings(self, *, details: bool = True, concurrency: int = 8) -> Surroundings:
        return Surroundings(
            self.clock,
            concurrency,
            details,
            "1.2.3",
            steady=lambda: self.clock().timestamp(),
            report_time=self.times.append,
        )

    def open(self, *, details: bool = True, concurrency: int = 8, **changes: Any) -> ICalendar:
        """A driver; `changes` are keys of its settings."""
        surroundings = self.surroundings(details=details, concurrency=concurrency)
        driver = ICalendar.open(self.settings(**changes), surroundings)
        self.drivers.append(driver)
        return driver

    def query(self, address: str, zone: str = "UTC", *, known: bool = True) -> Query:
        """For the window that the poller would ask for now."""
        room = room_of(address.lower(), zone)
        since, until = window(self.clock(), room.time_zone, 1)
        return Query(room, since, until, known)

    async def read(self, driver: ICalendar, *rooms: str | Query) -> list[Answer]:
        """The answers in the order of the rooms, of all rooms if none are named; exactly one each."""
        asked = rooms or tuple(room.address for room in self.publisher.rooms())
        queries = [self.query(room) if isinstance(room, str) else room for room in asked]
        answers = [answer async for answer in driver.read(queries)]
        assert len(answers) == len(queries)
        by_query = {id(answer.query): answer for answer in answers}
        return [by_query[id(query)] for query in queries]

    async def one(self, driver: ICalendar, room: str | Query = BOARDROOM) -> Answer:
        """The answer of one room."""
        (answer,) = await self.read(driver, room)
        return answer

    async def meetings(self, driver: ICalendar, room: str | Query = BOARDROOM) -> tuple[Meeting, ...]:
        """Of a room that can be read."""
        answer = await self.one(driver, room)
        assert isinstance(answer, Read), answer
        return answer.meetings

    @property
    def statuses(self) -> list[int]:
        """What the host answered so far, and forgets it."""
        found = [record.status for record in self.host.requests]
        self.host.clear_requests()
        return found


def word(answer: Answer) -> str:
    """An answer in a word: its kind, or why it failed."""
    return answer.reason.value if isinstance(answer, Failed) else type(answer).__name__.lower()


def words(answers: list[Answer]) -> list[str]:
    return [word(answer) for answer in answers]


def failed(answer: Answer) -> Failed:
    """An answer that is a failure."""
    assert isinstance(answer, Failed), answer
    return answer
