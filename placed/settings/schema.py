"""The tree of settings; every field has a description. `placed.settings.loader` reads it from files."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from placed.domain.model import ShowAs
from placed.domain.occupancy import DEFAULT_BUSY_FOR, Policy
from placed.domain.privacy import Show
from placed.domain.working_hours import WorkingHours
from placed.driver import ConnectionSettings, FilePath, TimeZone

ENVIRONMENT_PREFIX = "PLACED_"
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_LONGEST_PREFIX = 200
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:\[\]]*):(\d{1,5})", re.ASCII)
_HIGHEST_PORT = 65_535
_ORIGIN = re.compile(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_LONGEST = timedelta(days=3650)
_DAY = timedelta(days=1)
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([0-2][0-9]):([0-5][0-9])")
_SHORTEST_PATIENCE = timedelta(seconds=5)
_LONGEST_PATIENCE = timedelta(hours=1)
_UNITS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h|d)\s*", value)
        if found:
            seconds = float(found[1]) * _UNITS[found[2]]
            if seconds > _LONGEST.total_seconds():
                raise ValueError(f"expected a duration of at most {_LONGEST.days}d")
            return timedelta(seconds=seconds)
    raise ValueError('expected a duration such as "30s", "5m" or "1h"')


def _text(value: object) -> object:
    """Accepts a number for a text: people write `floor = 3` and `protocol = 5`."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _above_zero(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("expected a duration longer than nothing")
    return value


def _after_midnight(hours: str, minutes: str) -> timedelta:
    return timedelta(hours=int(hours), minutes=int(minutes))


def _hours(value: str) -> str:
    found = re.fullmatch(rf"{_HOURS.pattern}-{_HOURS.pattern}", value)
    if not found or not _after_midnight(found[1], found[2]) < _after_midnight(found[3], found[4]) <= _DAY:
        raise ValueError("expected hours such as 07:00-19:00, at most 00:00-24:00")
    return value


class Polling(_Table):
    """How the calendars are read."""

    interval: Annotated[Duration, AfterValidator(_above_zero)] = Field(
        default=timedelta(seconds=30), description="How often each room's calendar is read."
    )
    days_ahead: int = Field(
        default=1, ge=0, le=60, description="How many days after today are read; yesterday is always read."
    )
    concurrency: int = Field(
        default=8, ge=1, le=64, description="Maximum number of simultaneous requests, per connection."
    )
    rediscover: Annotated[Duration, AfterValidator(_above_zero)] | None = Field(
        default=None,
        description="How often the list of rooms is read again; by default ten intervals.",
    )

    budget: int | None = Field(
        default=None,
        ge=1,
        description="Maximum number of readings per minute, per connection: rooms are then read by need, at "
        "intervals of a sixth to ten times `interval`. Without it every room is read every interval.",
    )
    working_days: frozenset[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default=frozenset(("mon", "tue", "wed", "thu", "fri")),
        description="Days on which rooms are read more often. Used with a budget.",
    )
    working_hours: Annotated[str, AfterValidator(_hours)] = Field(
        default="07:00-19:00",
        description="Hours in which rooms are read more often, in each room's time zone. Used with a budget.",
    )

    @property
    def hours(self) -> WorkingHours:
        """The working hours."""
        days = frozenset(place for place, day in enumerate(_WEEK) if day in self.working_days)
        since, until = _HOURS.findall(self.working_hours)
        return WorkingHours(days, _after_midnight(*since), _after_midnight(*until))

    def longest_interval(self, expire_after: timedelta, stale_after: timedelta | None = None) -> timedelta:
        """The longest interval with a budget, so that a room does not become stale or unknown."""
        return min(10 * self.interval, expire_after / 3, *([] if stale_after is None else [stale_after / 3]))

    @property
    def rediscover_or_default(self) -> timedelta:
        """How often the list of rooms is read again."""
        return self.rediscover or 10 * self.interval


class Occupancy(_Table):
    """How occupancy is computed from the meetings."""

    lead: Duration = Field(
        default=timedelta(minutes=5),
        description="The time before its next meeting in which a free room is `starting`.",
    )
    busy_for: frozenset[Literal["busy", "tentative", "oof", "workingElsewhere"]] = Field(
        default=frozenset(("busy", "tentative", "oof", "workingElsewhere")),
        description="Which meetings occupy a room, by their status: busy, tentative, oof, workingElsewhere.",
    )
    stale_after: Annotated[Duration, AfterValidator(_above_zero)] | None = Field(
        default=None,
        description="A room that was not read for this time is shown as stale. By default three intervals.",
    )
    expire_after: Annotated[Duration, AfterValidator(_above_zero)] = Field(
        default=timedelta(minutes=15),
        description="A room that was not read for this time is unknown.",
    )
    offline_grace: Duration = Field(
        default=timedelta(),
        description="While the calendar service cannot be reached, the last readings are published as stale "
        "for this time, if it is longer than `expire_after`.",
    )


class Privacy(_Table):
    """Which details of a meeting are published."""

    show: Show = Field(
        default=Show.NOTHING,
        description="nothing, organizer, title or everything (both). A private meeting never shows either.",
    )


def _broker_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = (
            parts.scheme in ("mqtt", "mqtts")
            and parts.hostname
            and parts.port != 0
            and parts.path in ("", "/")
        )
    except ValueError:  # the error's text may contain a password
        sound = False
    if not sound:
        raise ValueError("expected mqtt://host[:1883] or mqtts://host[:8883]")
    if parts.username or parts.password:
        raise ValueError("expected no login in the address: use username and password_file")
    return value


def _topic(value: str) -> str:
    no_text = any("\ud800" <= character <= "\udfff" for character in value)  # bytes that are not UTF-8
    if (
        no_text
        or not value
        or value.startswith(("/", "$"))
        or value.endswith("/")
        or set(value) & set("+#\0 ")
    ):
        raise ValueError("expected topic levels such as placed or placed/hq, without + # or spaces")
    return value


class Mqtt(_Table):
    """The broker; without this table nothing is published over MQTT."""

    url: Annotated[str, AfterValidator(_broker_url)] = Field(
        description="mqtt://host:1883, or mqtts://host:8883 for TLS."
    )
    username: str | None = Field(default=None, description="Login, if the broker requires one.")
    password_file: FilePath | None = Field(default=None, description="File with the password.")
    ca_file: FilePath | None = Field(
        default=None, description="Private CA of the broker; by default the system's CAs are trusted."
    )
    certificate: FilePath | None = Field(default=None, description="Client certificate, PEM.")
    key: FilePath | None = Field(default=None, description="Its private key, if it is in another file.")
    base_topic: Annotated[str, AfterValidator(_topic)] = Field(
        default="placed", description="The prefix of all topics; one per building server."
    )
    client_id: str | None = Field(
        default=None, description="MQTT client identifier; by default the base topic with - for /."
    )
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(_text)] = Field(
        default="5", description="MQTT version. 3.1.1 has no expiry: panels must check valid_until."
    )
    plain_topics: bool = Field(
        default=True,
        description="Whether rooms/<id>/occupied (ON, OFF) and rooms/<id>/status are published as well.",
    )


def _host_name(value: str) -> str:
    name = value.rstrip(".").lower()
    if not _HOST_NAME.fullmatch(name):
        raise ValueError("expected a name such as rooms.contoso.com, without https:// and without a port")
    return name


def _listen(value: object) -> object:
    found = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if value != "" and (found is None or int(found[1]) > _HIGHEST_PORT):
        raise ValueError('expected host:port, such as 127.0.0.1:8620 or [::1]:8620; "" switches it off')
    return value


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError("expected where a page is from, such as https://signage.contoso.com, without a path")
    return value


def _page_patience(value: timedelta) -> timedelta:
    if not _SHORTEST_PATIENCE <= value <= _LONGEST_PATIENCE:
        raise ValueError("expected 5s to 1h; the daemon reports to every page every 3s")
    return value


class Http(_Table):
    """The status endpoint."""

    listen: Annotated[str, BeforeValidator(_listen)] = Field(
        default="127.0.0.1:8620",
        description="host:port; port 0 selects a free one; empty switches it off.",
    )
    token_file: FilePath | None = Field(
        default=None, description="File with the bearer token; required when it listens beyond loopback."
    )
    allow_anonymous: bool = Field(
        default=False, description="Allows listening beyond loopback without a token."
    )
    certificate: FilePath | None = Field(
        default=None, description="Certificate, PEM, with its chain: the endpoint is then https:// only."
    )
    key: FilePath | None = Field(default=None, description="Its private key, if it is in another file.")
    hosts: frozenset[Annotated[str, AfterValidator(_host_name)]] = Field(
        default=frozenset(),
        description="Accepted host names, beside its addresses and this machine's own name. Others are "
        "accepted only if this is empty and a token or TLS is required.",
    )
    frame_ancestors: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        default=(), description="Sites that may show the pages in a frame, such as digital signage."
    )
    offline_after: Annotated[Duration, AfterValidator(_page_patience)] = Field(
        default=timedelta(seconds=8),
        description="A page without data from the daemon for this time shows all rooms as unknown; "
        "5s to 1h. The valid_until of a room applies in any case.",
    )
    max_clients: int = Field(
        default=2000,
        ge=10,
        le=100_000,
        description="Maximum number of connections; at most 9/10 of them streams, 1/2 from one address.",
    )


def _discovery_prefix(value: str) -> str:
    if not is_discovery_prefix(value):
        raise ValueError("expected topic levels such as homeassistant, of letters, digits and - _ .")
    return value


def is_discovery_prefix(text: str) -> bool:
    """Whether the text can be the prefix of Home Assistant's discovery topics."""
    return len(text) <= _LONGEST_PREFIX and _PREFIX.fullmatch(text) is not None


class HomeAssistant(_Table):
    """Home Assistant, to which the rooms are announced over MQTT discovery."""

    discovery: bool = Field(
        default=False, description="Whether every room is announced to Home Assistant as a device."
    )
    discovery_prefix: Annotated[str, AfterValidator(_discovery_prefix)] = Field(
        default="homeassistant", description="The prefix of its discovery topics, as set in Home Assistant."
    )
    status_topic: Annotated[str, AfterValidator(_topic)] = Field(
        default="homeassistant/status",
        description="The topic of Home Assistant's birth message, as set in Home Assistant.",
    )


class RoomSettings(_Table):
    """The settings of one room; they override the values of the calendar service."""

    id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_-]+$",
        description="The room's id in topics and addresses: a-z, 0-9, - and _.",
    )
    name: str | None = Field(default=None, description="The room's display name.")
    building: str | None = Field(default=None, description="The building's name.")
    floor: Annotated[str, BeforeValidator(_text)] | None = Field(
        default=None, description="The floor's name or number."
    )
    capacity: int | None = Field(default=None, ge=0, description="The number of seats.")
    time_zone: TimeZone | None = Field(default=None, description="The room's IANA time zone.")


def unique_connections(value: tuple[ConnectionSettings, ...]) -> tuple[ConnectionSettings, ...]:
    """Refuses two connections of the same name."""
    _once([connection.name for connection in value])
    return value


def _rooms(value: dict[str, RoomSettings]) -> dict[str, RoomSettings]:
    _once([room.id for room in value.values() if room.id])
    return value


class Settings(BaseModel):
    """All settings. `placed.settings.loader` makes a subclass that knows the installed drivers."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, validate_default=True
    )

    connections: Annotated[
        tuple[SerializeAsAny[ConnectionSettings], ...], AfterValidator(unique_connections)
    ] = Field(min_length=1, description="The calendar service accounts.")
    rooms: Annotated[dict[str, RoomSettings], AfterValidator(_rooms)] = Field(
        default_factory=dict, description="Settings of single rooms, by their address or object id."
    )
    polling: Polling = Polling()
    occupancy: Occupancy = Occupancy()
    privacy: Privacy = Privacy()
    mqtt: Mqtt | None = None
    http: Http = Http()
    home_assistant: HomeAssistant = HomeAssistant()

    @property
    def longest_interval(self) -> timedelta:
        """The longest interval with a budget, from the other settings."""
        return self.polling.longest_interval(self.occupancy.expire_after, self.occupancy.stale_after)

    @property
    def policy(self) -> Policy:
        """The policy by which occupancy is computed."""
        stale_after = self.occupancy.stale_after or 3 * self.polling.interval
        return Policy(
            lead=self.occupancy.lead,
            busy_for=frozenset(ShowAs(word) for word in self.occupancy.busy_for) & DEFAULT_BUSY_FOR,
            stale_after=min(stale_after, self.occupancy.expire_after),
            expire_after=self.occupancy.expire_after,
            offline_grace=self.occupancy.offline_grace,
        )


def _once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is used more than once")
