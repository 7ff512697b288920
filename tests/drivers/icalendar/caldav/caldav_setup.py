"""A driver that reads the simulated CalDAV server, over real TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, Reason, Room, window
from placed.driver import Answer, Failed, Query, Read, Surroundings
from placed_icalendar import CalDav
from placed_icalendar.caldav.caldav_settings import CalDavSettings
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from placed.driver import FoundRoom
    from placed_icalendar.simulator.caldav_host import BookingStore, CalDavHost

TODAY = datetime(2026, 12, 2, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day at which the clock begins, at 7:30."""
    return TODAY + timedelta(hours=hour, minutes=minute)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    moment: datetime = field(default_factory=lambda: at(7, 30))

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **length: float) -> None:
        self.moment += timedelta(**length)


@dataclass
class CalDavSetup:
    """The simulated server with two rooms and two people, and everything to open drivers for it."""

    host: CalDavHost
    clock: Clock
    folder: Path
    drivers: list[CalDav] = field(default_factory=list)

    @property
    def store(self) -> BookingStore:
        return self.host.store

    def password_file(self) -> Path:
        path = self.folder / "password"
        if not path.exists():
            write_secret(path, f"{self.host.account.password}\n")
        return path

    def settings(self, **changes: Any) -> CalDavSettings:
        """For the account's home, unless changed; None takes a key out."""
        keys: dict[str, Any] = {
            "name": "dav",
            "url": self.host.home_url,
            "username": self.host.account.user,
            "password_file": self.password_file(),
            "ca_file": self.host.ca_file,
            **changes,
        }
        return CalDavSettings(**{key: value for key, value in keys.items() if value is not None})

    def surroundings(self, *, details: bool = True, concurrency: int = 8) -> Surroundings:
        return Surroundings(
            self.clock, concurrency, details, "1.2.3", steady=lambda: self.clock().timestamp()
        )

    def open(self, *, details: bool = True, **changes: Any) -> CalDav:
        """A driver; `changes` are keys of its settings."""
        driver = CalDav.open(self.settings(**changes), self.surroundings(details=details))
        self.drivers.append(driver)
        return driver

    def room(self, name: str, zone: str = "UTC") -> Room:
        """The room of a calendar in the account's home."""
        path = f"{self.host.service.home}{name}/"
        return Room(name, "dav", name, path, name, ZoneInfo(zone))

    def query(self, name: str, zone: str = "UTC") -> Query:
        """For the window that the poller would ask for now."""
        room = self.room(name, zone)
        return Query(room, *window(self.clock(), room.time_zone, 1))

    async def read(self, driver: CalDav, *rooms: str | Query) -> list[Answer]:
        """The answers in the order of the rooms; exactly one each."""
        asked = rooms or ("boardroom", "library")
        queries = [self.query(room) if isinstance(room, str) else room for room in asked]
        answers = [answer async for answer in driver.read(queries)]
        assert len(answers) == len(queries)
        by_query = {id(answer.query): answer for answer in answers}
        return [by_query[id(query)] for query in queries]

    async def meetings(self, driver: CalDav, room: str | Query = "boardroom") -> tuple[Meeting, ...]:
        """Of a room that can be read."""
        (answer,) = await self.read(driver, room)
        assert isinstance(answer, Read), answer
        return answer.meetings

    def asked(self, method: str, part: str = "") -> list[str]:
        """The paths of the requests so far with this method, and with this in them."""
        return [one.path for one in self.host.requests if one.method == method and part in one.path]


def word(answer: Answer) -> str:
    """An answer in a word: its kind, or why it failed."""
    return answer.reason.value if isinstance(answer, Failed) else type(answer).__name__.lower()


def words(answers: Sequence[Answer]) -> list[str]:
    return [word(answer) for answer in answers]


def failure(answer: Answer) -> tuple[Reason, str, str]:
    """Reason, text and remedy of a failure."""
    assert isinstance(answer, Failed), answer
    return answer.reason, answer.problem.text, answer.problem.remedy


def names(found: Sequence[FoundRoom]) -> list[str]:
    return [room.address for room in found]
