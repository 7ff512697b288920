"""The keys of a `[[connections]]` table with `driver = "icalendar"`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from placed.driver import SECRET, ConnectionSettings, FilePath, Table
from placed_icalendar.feeds.secret_url import SecretUrlSetting

USUAL_INTERVAL = timedelta(seconds=60)
_LONGEST_KEY = 200  # characters


class FeedSettings(Table):
    """A feed: an address, or a file that holds one, and a login if the host wants one."""

    url: SecretUrlSetting | None = Field(
        default=None,
        json_schema_extra=SECRET,
        description="The feed's address, https or webcal: everybody who has it can read the calendar.",
    )
    url_file: FilePath | None = Field(default=None, description="File that holds the address.")
    username: str | None = Field(
        default=None, min_length=1, description="User, if the host wants a login (Basic)."
    )
    password_file: FilePath | None = Field(default=None, description="File that holds the user's password.")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("expected one of url and url_file")
        if (self.username is None) != (self.password_file is None):
            raise ValueError("expected username and password_file, both or none")
        if self.username is not None and ":" in self.username:
            raise ValueError("expected a username without a colon, which Basic cannot send")
        return self


def _table(value: object) -> object:
    """Makes a table of an address alone."""
    return value if isinstance(value, (dict, FeedSettings)) else {"url": value}


def _rooms(value: dict[str, Any]) -> dict[str, Any]:
    """Refuses keys that make no room, and two that differ in case only."""
    seen: set[str] = set()
    for key in value:
        if not key.strip() or key != key.strip() or not key.isprintable() or len(key) > _LONGEST_KEY:
            raise ValueError("expected the rooms' addresses or names as keys, such as boardroom")
        if "://" in key:
            raise ValueError('expected the rooms as keys, and the feeds as values: boardroom = "https://…"')
        if key.lower() in seen:
            raise ValueError("expected each room once; upper and lower case are the same")
        seen.add(key.lower())
    return value


class FenceSettings(Table):
    """Addresses outside of the fence."""

    canaries: tuple[SecretUrlSetting, ...] = Field(
        default=(),
        json_schema_extra=SECRET,
        description="Addresses of feeds of people; reading them must be refused.",
    )
    enforce: bool = Field(
        default=True, description="Whether a readable canary ends the reading of this connection."
    )


class ICalendarSettings(ConnectionSettings):
    """Rooms whose calendars are published as feeds."""

    driver: Literal["icalendar"] = Field(default="icalendar", description="icalendar")
    feeds: Annotated[dict[str, Annotated[FeedSettings, BeforeValidator(_table)]], AfterValidator(_rooms)] = (
        Field(
            min_length=1,
            json_schema_extra=SECRET,
            description="The feeds' addresses by room: the key is the room's address, and so its id.",
        )
    )
    ca_file: FilePath | None = Field(
        default=None, description="Private CA for the certificates of all hosts."
    )
    fence: FenceSettings = FenceSettings()

    @property
    def usual_interval(self) -> timedelta:
        """See `placed.driver.ConnectionSettings`."""
        return USUAL_INTERVAL

    def reading_note(self, rooms: int | None, interval: timedelta) -> str:  # noqa: ARG002 - of the base
        """See `placed.driver.ConnectionSettings`."""
        if interval < USUAL_INTERVAL:
            seconds, usual = interval.total_seconds(), USUAL_INTERVAL.total_seconds()
            return (
                f"polling.interval has every feed read every {seconds:g} s; without it that would be "
                f"{usual:g} s, and publishers may limit how often they are asked"
            )
        return ""

    @property
    def named_rooms(self) -> frozenset[str]:
        """See `placed.driver.ConnectionSettings`."""
        return frozenset(room.lower() for room in self.feeds)
