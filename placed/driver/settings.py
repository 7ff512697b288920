"""The keys that every `[[connections]]` table has; a driver's own settings derive from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from placed.driver.secret_file import found_here

if TYPE_CHECKING:
    from placed.domain.problem import Problem


def _zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value) if isinstance(value, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Europe/Berlin") from None


def _expanded(value: object) -> object:
    return found_here(value) if isinstance(value, str) else value


TimeZone = Annotated[ZoneInfo, BeforeValidator(_zone)]
FilePath = Annotated[Path, BeforeValidator(_expanded)]  # may begin with $CREDENTIALS_DIRECTORY


class ConnectionSettings(BaseModel):
    """What every `[[connections]]` table has; a driver's own settings derive from it.

    They declare `driver: Literal["<name>"]` with the name of the driver's entry point, by which placed
    distinguishes the tables of several drivers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="The connection's name, in messages, topics and pages: a-z, 0-9, - and _.",
    )
    driver: str = Field(description="Which driver reads it: the name of an installed one.")
    time_zone: TimeZone = Field(
        default=ZoneInfo("UTC"),
        description="IANA time zone of its rooms, unless set for a room.",
    )

    @property
    def named_rooms(self) -> frozenset[str] | None:
        """The addresses of all its rooms, in lower case; None where the service lists them."""
        return None


class SettingsError(Exception):
    """A file that the settings name cannot be used. The problem's key is below the connection's table."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem
