"""A driver that reads the simulated tenant, with the real MSAL and over real TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, Reason, Room, window
from placed.driver import Answer, Failed, Query, Read, ServiceTime, Surroundings, Unchanged
from placed_microsoft365 import Microsoft365
from placed_microsoft365.settings import Microsoft365Settings
from placed_microsoft365.simulator import App, Simulator, Tenant, make_client_certificate
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.drivers.microsoft365.simulator.conftest import Clock

ROLES = ("Calendars.Read", "GroupMember.Read.All", "Place.Read.All")
CERTIFICATE = make_client_certificate(
    key_size=2048, valid_from=datetime(2026, 1, 1, tzinfo=UTC), lifetime=timedelta(days=3650)
)
TODAY = datetime(2026, 10, 6, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
ADDRESSES = ("boardroom@contoso.example", "library@contoso.example")
BOARDROOM, LIBRARY = ADDRESSES
ADA = "ada@contoso.example"


def at(hour: int, minute: int = 0) -> datetime:
    """A moment of the day at which the simulated clock begins."""
    return TODAY + timedelta(hours=hour, minutes=minute)


def room_of(address: str, zone: ZoneInfo = UTC_ZONE, mailbox: str | None = None) -> Room:
    name = address.partition("@")[0]
    return Room(name, "contoso", address, mailbox or address, name, zone)


@dataclass
class DriverSetup:
    """The simulated tenant, and everything to open drivers for it."""

    simulator: Simulator
    app: App
    clock: Clock
    folder: Path
    drivers: list[Microsoft365] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        return self.simulator.tenant

    def settings(self, **changes: Any) -> Microsoft365Settings:
        """With a secret and both rooms by default; None takes a key out."""
        secret = self.folder / "secret"
        if not secret.exists():
            write_secret(secret, "s3cret\n")
        keys: dict[str, Any] = {
            "name": "contoso",
            "tenant": self.tenant.domain,
            "client_id": self.app.client_id,
            "client_secret_file": secret,
            "authority": self.simulator.url,
            "graph": self.simulator.url,
            "ca_file": self.simulator.ca_file,
            "rooms": ADDRESSES,
            **changes,
        }
        return Microsoft365Settings(**{key: value for key, value in keys.items() if value is not None})

    def open(
        self,
        *,
        concurrency: int = 8,
        details: bool = True,
        report_time: Callable[[ServiceTime], None] = lambda _time: None,
        **changes: Any,
    ) -> Microsoft365:
        """A driver; `changes` are keys of its settings."""
        surroundings = Surroundings(
            self.clock,
            concurrency,
            details,
            "1.2.3",
            steady=lambda: self.clock().timestamp(),
            report_time=report_time,
        )
        driver = Microsoft365.open(self.settings(**changes), surroundings)
        self.drivers.append(driver)
        return driver

    def query(self, address: str, zone: str = "UTC", mailbox: str | None = None) -> Query:
        """For the window that the poller would ask for now."""
        room = room_of(address, ZoneInfo(zone), mailbox)
        return Query(room, *window(self.clock(), room.time_zone, 1))

    async def read(self, driver: Microsoft365, *rooms: str | Query) -> list[Answer]:
        """The answers in the order of the rooms; exactly one each."""
        queries = [self.query(room) if isinstance(room, str) else room for room in rooms or ADDRESSES]
        return await read(driver, queries)

    async def meetings(self, driver: Microsoft365, room: str | Query = BOARDROOM) -> tuple[Meeting, ...]:
        """Of a room that can be read."""
        (answer,) = await self.read(driver, room)
        assert isinstance(answer, Read), answer
        return answer.meetings

    def asked(self, *parts: str) -> list[str]:
        """The paths, below the version, of the requests so far that have one of the parts in them."""
        paths = [record.path.removeprefix("/v1.0") for record in self.simulator.requests]
        return [path for path in paths if any(part in path for part in parts)]

    @property
    def sign_ins(self) -> int:
        """How often a token was asked for."""
        return len(self.asked("/oauth2/v2.0/token"))

    @property
    def batches(self) -> int:
        """How often a batch was asked."""
        return len(self.asked("/$batch"))


async def read(driver: Microsoft365, queries: Sequence[Query]) -> list[Answer]:
    """The answers in the order of the queries; exactly one each."""
    answers = [answer async for answer in driver.read(queries)]
    assert len(answers) == len(queries)
    by_query = {id(answer.query): answer for answer in answers}
    return [by_query[id(query)] for query in queries]


def outcome(answer: Answer) -> str:
    """An answer in a word: read, unchanged, or why it failed."""
    match answer:
        case Failed(reason=reason):
            return reason.value
        case Unchanged():
            return "unchanged"
        case _:
            return "read"


def outcomes(answers: Sequence[Answer]) -> list[str]:
    return [outcome(answer) for answer in answers]


def failure(answer: Answer) -> tuple[Reason, str, float | None]:
    """Reason, detail and rest of a failure."""
    assert isinstance(answer, Failed), answer
    return answer.reason, answer.problem.text, answer.problem.retry_after
