"""The port that every driver implements: what it is asked, and what it may answer.

A driver reads one kind of calendar service. It knows no MQTT, HTTP or policy, and imports nothing of placed
but `placed.driver` and `placed.domain.model`. What it may offer beside reading: `placed.driver.capabilities`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from placed.domain.consent_record import Consent
from placed.domain.model import Meeting, Reason, Room
from placed.domain.problem import Problem
from placed.domain.service_time import ServiceTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver.settings import ConnectionSettings

# --- questions and answers ----------------------------------------------------------------------------------


class FoundRoom(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A room as the service lists it. What it does not report is None.

    Attributes:
        address: by which the settings may name it; the object id where the service does not report one.
        mailbox: what its calendar is read by.
        object_id: by which the service knows it for good, though its address changes.
        opaque_address: whether the address means nothing to people: the room's id is made from its name.
        time_zone: IANA name of its calendar's own time zone, where the settings name none for the connection.
    """

    address: str
    mailbox: str
    name: str | None = None
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None
    object_id: str | None = None
    opaque_address: bool = False
    time_zone: str | None = None


class Query(msgspec.Struct, frozen=True, gc=False):
    """Asks for a room's meetings that overlap [since, until).

    Attributes:
        known: whether the meetings that were read last are still known. If not, `Unchanged` is no answer.
    """

    room: Room
    since: datetime
    until: datetime
    known: bool = True


class Read(msgspec.Struct, frozen=True, gc=False):
    """A room's calendar was read; `asked_at` is when the question left."""

    query: Query
    asked_at: datetime
    meetings: tuple[Meeting, ...]


class Unchanged(msgspec.Struct, frozen=True, gc=False):
    """A room's calendar was read, and is to the byte what it was when the same was asked before.

    A driver answers so only where the meetings that it reported last are still known: not where `Query.known`
    is false, not after an error that ended a reading, and not of a room that was left out of a reading since.
    """

    query: Query
    asked_at: datetime


class StillHolds(msgspec.Struct, frozen=True, gc=False):
    """A room's free/busy is what it was when its calendar was last read: what is known makes its occupancy.

    What free/busy does not show, such as a title, may have changed; so a driver that answers this reads every
    calendar in full every few minutes. It answers so under the same conditions as `Unchanged`.
    """

    query: Query
    asked_at: datetime


class Failed(msgspec.Struct, frozen=True, gc=False):
    """One room could not be read; this does not affect any other.

    Attributes:
        problem: for the log and the list of rooms; its text is as a rule the service's error code.
        consent: what the credential shows about the administrator's consent, if the room is forbidden.
    """

    query: Query
    reason: Reason
    problem: Problem
    consent: Consent = Consent.UNKNOWN


Success = Read | Unchanged | StillHolds
Answer = Success | Failed


# --- the port -----------------------------------------------------------------------------------------------


class Driver(Protocol):
    """One connection, opened. Every method may raise a `DriverError`."""

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """The rooms that the settings name, as they are now."""
        ...

    def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """Reads calendars: exactly one answer for each query, each as soon as it is there.

        If it raises, the error is about the queries that were not answered. If the iteration ends early,
        answers may not have been taken: the driver must not report those calendars as `Unchanged` next time.
        """
        ...

    async def close(self) -> None:
        """Closes what is open; a second call does nothing."""
        ...


def _boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Surroundings(msgspec.Struct, frozen=True):
    """What the program gives a driver.

    Attributes:
        steady: seconds that only ever grow, whatever becomes of the clock on the wall.
        report_time: is to be called, from any thread, with the service's time in each of its answers, but for
            answers that come from a cache.
    """

    now: Callable[[], datetime]  # corrected by what was reported, so it may be set forwards and back
    concurrency: int  # requests under way at once, at most
    details: bool  # whether titles and organizers are wanted at all; if not, they are not even asked for
    version: str  # for the User-Agent
    steady: Callable[[], float] = _boot_time
    report_time: Callable[[ServiceTime], None] = lambda _time: None


class DriverKind(Protocol):
    """What an entry point of the group `placed.drivers` names."""

    Settings: type[ConnectionSettings]

    @staticmethod
    def open(settings: Any, surroundings: Surroundings) -> Driver:
        """Opens a connection without any network traffic.

        Raises:
            SettingsError: a file that the settings name is missing, unreadable or invalid.
        """
        ...
