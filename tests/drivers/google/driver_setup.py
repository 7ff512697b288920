"""A driver that reads the simulated Workspace, over real TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, Reason, Room, window
from placed.driver import Answer, Failed, Query, Read, Surroundings
from placed_google import Google
from placed_google.settings import GoogleSettings
from placed_google.simulator import ServiceAccount, Simulator, Workspace, make_private_key
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.google.simulator.conftest import Clock

KEY = make_private_key()
TODAY = datetime(2026, 12, 2, tzinfo=UTC)
BOARDROOM = "c_188boardroom@resource.calendar.google.com"
LIBRARY = "c_188library@resource.calendar.google.com"
ADA = "ada@fabrikam.example"
BEN = "ben@fabrikam.example"


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day at which the simulated clock begins, at 7:30."""
    return TODAY + timedelta(hours=hour, minutes=minute)


def room_of(mailbox: str, zone: str = "UTC") -> Room:
    name = mailbox.partition("@")[0]
    return Room(name, "fabrikam", mailbox, mailbox, name, ZoneInfo(zone))


@dataclass
class DriverSetup:
    """The simulated Workspace, and everything to open drivers for it."""

    simulator: Simulator
    account: ServiceAccount
    clock: Clock
    folder: Path
    drivers: list[Google] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        return self.simulator.workspace

    def key_file(self) -> Path:
        path = self.folder / "key.json"
        if not path.exists():
            write_secret(path, self.simulator.make_key(self.account, KEY))
        return path

    def settings(self, **changes: Any) -> GoogleSettings:
        """With a key and both rooms, unless changed; None takes a key out."""
        keys: dict[str, Any] = {
            "name": "fabrikam",
            "key_file": self.key_file(),
            "ca_file": self.simulator.ca_file,
            "calendar_url": self.simulator.url,
            "directory_url": self.simulator.url,
            "rooms": (BOARDROOM, LIBRARY),
            **changes,
        }
        return GoogleSettings(**{key: value for key, value in keys.items() if value is not None})

    def surroundings(self, *, details: bool = True, concurrency: int = 8) -> Surroundings:
        return Surroundings(
            self.clock, concurrency, details, "1.2.3", steady=lambda: self.clock().timestamp()
        )

    def open(self, *, details: bool = True, **changes: Any) -> Google:
        """A driver; `changes` are keys of its settings."""
        driver = Google.open(self.settings(**changes), self.surroundings(details=details))
        self.drivers.append(driver)
        return driver

    def query(self, mailbox: str, zone: str = "UTC") -> Query:
        """For the window that the poller would ask for now."""
        room = room_of(mailbox, zone)
        return Query(room, *window(self.clock(), room.time_zone, 1))

    async def read(self, driver: Google, *rooms: str | Query) -> list[Answer]:
        """The answers in the order of the rooms; exactly one each."""
        asked = rooms or (BOARDROOM, LIBRARY)
        queries = [self.query(room) if isinstance(room, str) else room for room in asked]
        answers = [answer async for answer in driver.read(queries)]
        assert len(answers) == len(queries)
        by_query = {id(answer.query): answer for answer in answers}
        return [by_query[id(query)] for query in queries]

    async def meetings(self, driver: Google, room: str | Query = BOARDROOM) -> tuple[Meeting, ...]:
        """Of a room that can be read."""
        (answer,) = await self.read(driver, room)
        assert isinstance(answer, Read), answer
        return answer.meetings

    def asked(self, part: str) -> list[str]:
        """The paths of the requests so far, and of the parts of batches, that have this in them."""
        paths = [
            path
            for record in self.simulator.requests
            for path in (record.path, *(item.path for item in record.items))
        ]
        return [path for path in paths if part in path]


def word(answer: Answer) -> str:
    """An answer in a word: its kind, or why it failed."""
    return answer.reason.value if isinstance(answer, Failed) else type(answer).__name__.lower()


def words(answers: list[Answer]) -> list[str]:
    return [word(answer) for answer in answers]


def failure(answer: Answer) -> tuple[Reason, str]:
    """Reason and remedy of a failure."""
    assert isinstance(answer, Failed), answer
    return answer.reason, answer.problem.remedy
