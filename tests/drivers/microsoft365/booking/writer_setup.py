"""A writer for the simulated tenant, with the real MSAL and over real TLS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from placed.driver import Booking, BookingWriter, NotWritten, Surroundings, Unclear, WriteResult
from placed_microsoft365 import Microsoft365
from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup, at, room_of
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from placed.domain.model import Room
    from placed_microsoft365.settings import Microsoft365Settings
    from placed_microsoft365.simulator import App, Meeting, Tenant

ROOM = room_of(BOARDROOM)
READING = ("/$batch", "/oauth2/")


@dataclass
class WriterSetup:
    """The driver setup, and the registration of actions."""

    driver_setup: DriverSetup
    app: App
    writers: list[BookingWriter] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        return self.driver_setup.tenant

    def settings(self, **changes: Any) -> Microsoft365Settings:
        secret = self.driver_setup.folder / "writing-secret"
        if not secret.exists():
            write_secret(secret, "wr1te\n")
        actions = {"client_id": self.app.client_id, "client_secret_file": secret, "allow": ["end", "book"]}
        return self.driver_setup.settings(**{"actions": actions, **changes})

    def open(self, **changes: Any) -> BookingWriter:
        """A writer; `changes` are keys of the connection's settings."""
        clock = self.driver_setup.clock
        surroundings = Surroundings(
            clock, 8, details=False, version="1.2.3", steady=lambda: clock().timestamp()
        )
        writer = Microsoft365.open_writer(self.settings(**changes), surroundings)
        self.writers.append(writer)
        return writer

    async def booking(self, writer: BookingWriter, room: Room = ROOM) -> Booking:
        """The only one of the day."""
        (booking,) = await writer.look(room, at(0), at(24))
        return booking

    def meetings(self, room: str = BOARDROOM) -> list[Meeting]:
        """What is in the calendar in truth."""
        return self.tenant.meetings(room)

    @property
    def writes(self) -> list[str]:
        """The methods and ends of paths of the requests that could have changed something."""
        return [
            f"{record.method} {record.path.rpartition('/')[2]}"
            for record in self.driver_setup.simulator.requests
            if record.method != "GET" and not any(part in record.path for part in READING)
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
