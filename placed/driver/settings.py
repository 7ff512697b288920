"""The keys that every `[[connections]]` table has; a driver's own settings derive from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from placed.domain.action import Action
from placed.domain.command_sink import Offer
from placed.domain.problem import Problem
from placed.driver.action_settings import ActionSettings, CheckInSettings, NoShowSettings
from placed.driver.secret_file import Exposed, found_here, read_secret, remedy_for_missing
from placed.driver.setting_values import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


def _zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value) if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Europe/Berlin") from None


def _expanded(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise ValueError("expected the path of a file")
    return found_here(value)


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:  # an invalid port
        sound = False
    if not sound or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("expected an address such as https://host or https://host:port")
    # In lower case, as services write their host in links.
    return f"https://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _address(value: str) -> str:
    local, at, domain = value.partition("@")
    if not (local and at and domain) or any(c.isspace() for c in value):
        raise ValueError("expected an e-mail address such as boardroom@contoso.com")
    return value


# The `json_schema_extra` of a field that is a secret, or a table of secrets: no message repeats what it has.
SECRET: dict[str, Any] = {"secret": True}

TimeZone = Annotated[ZoneInfo, BeforeValidator(_zone)]
FilePath = Annotated[Path, BeforeValidator(_expanded)]  # may begin with $CREDENTIALS_DIRECTORY
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Address = Annotated[str, AfterValidator(_address)]


class ConnectionSettings(Table):
    """What every `[[connections]]` table has; a driver's own settings derive from it.

    They declare `driver: Literal["<name>"]` with the name of the driver's entry point, by which placed
    distinguishes the tables of several drivers.
    """

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="The connection's name, in messages, topics and pages: a-z, 0-9, - and _.",
    )
    driver: str = Field(description="Which driver reads it: the name of an installed one.")
    time_zone: TimeZone = Field(
        default=ZoneInfo("UTC"),
        description="IANA time zone of its rooms, unless set for a room.",
    )
    check_in: CheckInSettings | None = Field(
        default=None, description="Check-in at the rooms; without the table rooms are never pending."
    )
    no_show: NoShowSettings | None = Field(
        default=None, description="What happens to meetings that nobody checked in to."
    )

    @model_validator(mode="after")
    def _no_show_has_what_it_needs(self) -> Self:
        if self.no_show is None:
            return self
        if self.check_in is None or not self.check_in.required:
            raise ValueError("expected a table check_in, with required = true, beside no_show")
        if self.no_show.mode == "release" and self.writes is None:
            raise ValueError('expected a table actions beside no_show, whose mode is "release"')
        return self

    @property
    def writes(self) -> ActionSettings | None:
        """The table `actions`, which the driver declares; None where nothing is ever written."""
        return None

    @property
    def offer(self) -> Offer | None:
        """What the settings allow in the rooms; None if nothing. A check-in writes nothing."""
        writes = self.writes
        allowed = frozenset({Action.CHECK_IN}) if writes is None else writes.allow
        if self.check_in is None:
            allowed -= {Action.CHECK_IN}
        if not allowed:
            return None
        return Offer(allowed) if writes is None else Offer(allowed, writes.longest)

    @property
    def usual_interval(self) -> timedelta | None:
        """How often its rooms are read unless `polling.interval` is set; None for the usual of placed."""
        return None

    def reading_note(self, rooms: int | None, interval: timedelta) -> str:  # noqa: ARG002 - for drivers
        """How the service's limits change how often rooms are read; empty if they do not.

        Args:
            rooms: how many there are; None if the service has to list them first.
            interval: how often each is to be read.
        """
        return ""

    @property
    def named_rooms(self) -> frozenset[str] | None:
        """The addresses of all its rooms, in lower case; None where the service lists them."""
        return None


class FenceKeys(Table):
    """The keys that `[connections.fence]` has at every driver that can try the fence."""

    canaries: tuple[Address, ...] = Field(
        default=(), description="Mailboxes outside the fence; reading them must be refused."
    )
    enforce: bool = Field(
        default=True, description="Whether a readable canary ends the reading of this connection."
    )


class SettingsError(Exception):
    """A file that the settings name cannot be used. The problem's key is below the connection's table."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem


def read_file(key: str, path: Path, read: Callable[[Path], bytes] = read_secret) -> bytes:
    """The content of a file that a setting names.

    Args:
        key: the setting.
        path: the file.
        read: `read_secret` or `read_certificate`.

    Raises:
        SettingsError: it is missing, unreadable, or readable by other users.
    """
    try:
        return read(path)
    except Exposed as exposed:
        problem = replace(exposed.problem, key=key, text=f"{path} {exposed.problem.text}")
    except OSError as error:
        remedy = remedy_for_missing(path) if isinstance(error, FileNotFoundError) else ""
        problem = Problem(key, f"{path} cannot be read: {error.strerror}", remedy, unread=path)
    raise SettingsError(problem)
