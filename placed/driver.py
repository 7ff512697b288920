"""The port that a driver implements: what it is asked, what it may answer, and how drivers are found.

A driver reads one kind of calendar service. It knows no MQTT, HTTP or policy, and imports nothing of placed
but this module and `placed.model`. It is found by its name in the entry-point group `placed.drivers`, which
names a `DriverKind`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from placed.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.model import Meeting, Room

GROUP = "placed.drivers"


# --- settings -----------------------------------------------------------------------------------------------


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Europe/Berlin") from None


def _expanded(value: object) -> object:
    return os.path.expandvars(value) if isinstance(value, str) else value


TimeZone = Annotated[ZoneInfo, BeforeValidator(_zone)]
FilePath = Annotated[Path, BeforeValidator(_expanded)]  # may begin with $CREDENTIALS_DIRECTORY


class ConnectionSettings(BaseModel):
    """What every `[[connections]]` table has; a driver's own settings derive from it."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="The connection's name, in messages, topics and pages: a-z, 0-9, - and _.",
    )
    driver: str = Field(description="Which driver reads it, for example microsoft365.")
    time_zone: TimeZone = Field(
        default=ZoneInfo("UTC"),
        description="IANA time zone of its rooms, unless a room says otherwise.",
    )


# --- errors -------------------------------------------------------------------------------------------------


class DriverError(Exception):
    """A connection as a whole can not be read. `remedy` tells the operator what to do about it."""

    reason = Reason.UNAVAILABLE

    def __init__(self, message: str, *, remedy: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.retry_after = retry_after  # seconds that the service asked for


class Unavailable(DriverError):
    """Network, DNS or the service is down, or asks for patience: time heals it."""


class NotPermitted(DriverError):
    """Consent or the fence's group is missing: another person heals it, so ask seldom."""

    reason = Reason.FORBIDDEN


class Refused(DriverError):
    """Refused for good - credential, application, tenant, TLS: only a change of configuration heals it."""

    reason = Reason.REFUSED


class SettingsError(Exception):
    """A file that the settings name can not be used. `key` is below the connection's table."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


# --- questions and answers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundRoom:
    """A room as the service lists it. What it does not tell is None."""

    address: str
    mailbox: str
    name: str | None = None
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Asks for a room's meetings that overlap [since, until)."""

    room: Room
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Read:
    """A room's calendar was read; `asked_at` is when the question left."""

    query: Query
    asked_at: datetime
    meetings: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A room's calendar was read, and is to the byte what it was when the same was asked before.

    A driver says so only while the meetings that it told last are still known: not after an error that ended
    a reading, and not of a room that was left out of a reading since.
    """

    query: Query
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """One room could not be read; that says nothing about any other."""

    query: Query
    reason: Reason
    detail: str  # for the log: a service's error code, never a person's name or a secret
    retry_after: float | None = None  # seconds that the service asked for


Answer = Read | Unchanged | Failed


class FenceState(StrEnum):
    """What is known about the limit on what the registration may read."""

    UNPROVEN = "unproven"  # no canary is configured, or none was tried yet
    VERIFIED = "verified"  # every canary was refused
    BREACHED = "breached"  # a canary was readable


@dataclass(frozen=True, slots=True)
class Fence:
    """The result of a trial of the fence."""

    state: FenceState
    checked_at: datetime | None = None
    enforce: bool = True  # whether a breach ends the reading of this connection


# --- the port -----------------------------------------------------------------------------------------------


class Driver(Protocol):
    """One connection, opened. Every method may raise a `DriverError`."""

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """The rooms that the settings name, as they are now."""
        ...

    async def read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        """Reads calendars and calls `answer` exactly once a query, each as soon as it is there.

        If it raises, the queries not yet answered are those that the error is about.
        """
        ...

    async def try_fence(self) -> Fence:
        """Asks for every canary, which must be refused."""
        ...

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the credential runs out, if that can be told."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the program gives a driver."""

    now: Callable[[], datetime]
    concurrency: int  # requests under way at once, at most
    details: bool  # whether titles and organizers are wanted at all; if not, they are not even asked for
    version: str  # for the User-Agent


class DriverKind(Protocol):
    """What an entry point of the group `placed.drivers` names."""

    Settings: type[ConnectionSettings]

    @staticmethod
    def open(settings: Any, surroundings: Surroundings) -> Driver:
        """Opens a connection without any network traffic.

        Raises:
            SettingsError: a file that the settings name is missing, unreadable or of no use.
        """
        ...


def find_drivers() -> dict[str, DriverKind]:
    """Every driver that is installed, by name."""
    return {found.name: found.load() for found in entry_points(group=GROUP)}
