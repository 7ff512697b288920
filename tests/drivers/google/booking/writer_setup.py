"""A writer for the simulated Workspace, over real TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from placed.driver import Booking, BookingWriter, NotWritten, Surroundings, Unclear, WriteResult
from placed_google import Google
from placed_google.simulator import make_private_key
from tests.drivers.google.driver_setup import BOARDROOM, DriverSetup, at, room_of
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from placed.domain.model import Room
    from placed_google.settings import GoogleSettings
    from placed_google.simulator import Event, ServiceAccount, Workspace

ROOM = room_of(BOARDROOM)
WRITING_KEY = make_private_key()


@dataclass
class WriterSetup:
    """The driver setup, and the service account of actions."""

    driver_setup: DriverSetup
    account: ServiceAccount
    writers: list[BookingWriter] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        return self.driver_setup.workspace

    def key_file(self) -> Path:
        path = self.driver_setup.folder / "writing-key.json"
        if not path.exists():
            write_secret(path, self.driver_setup.simulator.make_key(self.account, WRITING_KEY))
        return path

    def settings(self, **changes: Any) -> GoogleSettings:
        actions = {"key_file": self.key_file(), "allow": ["end", "book"]}
        return self.driver_setup.settings(**{"actions": actions, **changes})

    def open(self, **changes: Any) -> BookingWriter:
        """A writer; `changes` are keys of the connection's settings."""
        clock = self.driver_setup.clock
        surroundings = Surroundings(
            clock, 8, details=False, version="1.2.3", steady=lambda: clock().timestamp()
        )
        writer = Google.open_writer(self.settings(**changes), surroundings)
        self.writers.append(writer)
        return writer

    async def booking(self, writer: BookingWriter, room: Room = ROOM) -> Booking:
        """The only one of the day."""
        (booking,) = await writer.look(room, at(0), at(24))
        return booking

    def events(self, room: str = BOARDROOM) -> list[Event]:
        """What makes the room busy in truth."""
        calendar = self.workspace.calendar(room)
        return [event for event in calendar.within(at(0), at(72)) if event.makes_busy(calendar.id)]

    @property
    def writes(self) -> list[str]:
        """The methods and paths of the requests that could have changed something."""
        return [
            f"{record.method} {record.path}"
            for record in self.driver_setup.simulator.requests
            if record.method != "GET" and "/events" in record.path
        ]


def outcome(result: WriteResult) -> str:
    """A result in a word."""
    match result:
        case NotWritten(failure=failure):
            return failure.value
        case Unclear():
            return "unclear"
        case _:
            return "written"
