"""Settings of the outputs: the broker, the status endpoint and Home Assistant."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from placed.driver import FilePath
from placed.driver.setting_values import Duration, Table, as_text

_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_LONGEST_PREFIX = 200
_LONGEST_BASE = 1000  # bytes; the topics below it must fit into a packet, too
_LONGEST_TEXT = 65_535  # bytes of a string in a packet: MQTT 5, 1.5.4
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:\[\]]*):(\d{1,5})", re.ASCII)
_HIGHEST_PORT = 65_535
_ORIGIN = re.compile(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_PUBLIC_URL = re.compile(_ORIGIN.pattern + r"(/[A-Za-z0-9._~%/-]{0,200})?")
_SHORTEST_PATIENCE = timedelta(seconds=5)
_LONGEST_PATIENCE = timedelta(hours=1)


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


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)  # bytes that are not UTF-8


def _login(value: str) -> str:
    if not _is_text(value) or "\0" in value or len(value.encode()) > _LONGEST_TEXT:
        raise ValueError("expected text that MQTT can send: UTF-8 of at most 65535 bytes, without NUL")
    return value


def _topic(value: str) -> str:
    if (
        not _is_text(value)
        or not value
        or value.startswith(("/", "$"))
        or value.endswith("/")
        or set(value) & set("+#\0 ")
    ):
        raise ValueError("expected topic levels such as placed or placed/hq, without + # or spaces")
    if len(value.encode()) > _LONGEST_BASE:
        raise ValueError(f"expected at most {_LONGEST_BASE} bytes")
    return value


class Mqtt(Table):
    """The broker; without this table nothing is published over MQTT."""

    url: Annotated[str, AfterValidator(_broker_url)] = Field(
        description="mqtt://host:1883, or mqtts://host:8883 for TLS."
    )
    username: Annotated[str, AfterValidator(_login)] | None = Field(
        default=None, description="Login, if the broker requires one."
    )
    password_file: FilePath | None = Field(default=None, description="File with the password.")
    ca_file: FilePath | None = Field(
        default=None, description="Private CA of the broker; by default the system's CAs are trusted."
    )
    certificate: FilePath | None = Field(default=None, description="Client certificate, PEM.")
    key: FilePath | None = Field(default=None, description="Its private key, if it is in another file.")
    base_topic: Annotated[str, AfterValidator(_topic)] = Field(
        default="placed", description="The prefix of all topics; one per building server."
    )
    client_id: Annotated[str, AfterValidator(_login)] | None = Field(
        default=None, description="MQTT client identifier; by default the base topic with - for /."
    )
    protocol: Annotated[Literal["5", "3.1.1"], BeforeValidator(as_text)] = Field(
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


def _public_url(value: str) -> str:
    if not _PUBLIC_URL.fullmatch(value):
        raise ValueError("expected an address such as https://rooms.contoso.com/, without ? and #")
    return value if value.endswith("/") else f"{value}/"


def _page_patience(value: timedelta) -> timedelta:
    if not _SHORTEST_PATIENCE <= value <= _LONGEST_PATIENCE:
        raise ValueError("expected 5s to 1h; the daemon reports to every page every 3s")
    return value


class Http(Table):
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
    panel_tokens: FilePath | None = Field(
        default=None,
        description="TOML file with the tokens of panels, which may ask for actions; without it none may.",
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
    origins: frozenset[Annotated[str, AfterValidator(_origin)]] = Field(
        default=frozenset(),
        description="Where panels open their page, if a proxy sends another Host than they ask for. Actions "
        "from pages of any other site are refused.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        default=None,
        description="The address at which phones reach the pages, such as https://rooms.contoso.com/. Panels "
        "then show a QR code: it opens the room's day and, where phones may, checks in.",
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


class HomeAssistant(Table):
    """Home Assistant, to which the rooms are announced over MQTT discovery."""

    discovery: bool = Field(
        default=False, description="Whether every room is announced to Home Assistant as a device."
    )
    actions: bool = Field(
        default=False,
        description="Whether these devices have buttons for the actions that a connection allows. Everybody "
        "who sees a button in Home Assistant can press it.",
    )
    discovery_prefix: Annotated[str, AfterValidator(_discovery_prefix)] = Field(
        default="homeassistant", description="The prefix of its discovery topics, as set in Home Assistant."
    )
    status_topic: Annotated[str, AfterValidator(_topic)] = Field(
        default="homeassistant/status",
        description="The topic of Home Assistant's birth message, as set in Home Assistant.",
    )
