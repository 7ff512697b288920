"""The XML that goes in and out of the simulated CalDAV server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
CALENDAR_SERVER = "http://calendarserver.org/ns/"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_PREFIXES = {DAV: "d", CALDAV: "c", CALENDAR_SERVER: "cs"}
NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for uri, prefix in _PREFIXES.items())


@dataclass(frozen=True, slots=True)
class DavQuery:
    """What a body asks for.

    Attributes:
        names: properties, as `{namespace}name`.
        since: of the time range; None if there is none.
        until: the same.
        expand: whether the server is asked to expand series.
    """

    kind: str
    names: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    expand: bool = False


@dataclass(slots=True)
class PropResponse:
    """A response of a multistatus: inner XML of each property by `{namespace}name`, or a status for all."""

    href: str
    properties: dict[str, str] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    status: int | None = None


def read_query(body: bytes) -> DavQuery | None:
    """What a body asks for; None if it is no XML."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - see above
    except ET.ParseError:
        return None
    prop = root.find(f"{{{DAV}}}prop")
    names = () if prop is None else tuple(child.tag for child in prop)
    within = next(root.iter(f"{{{CALDAV}}}time-range"), None)
    moments = (None, None) if within is None else (_moment(within.get("start")), _moment(within.get("end")))
    expand = next(root.iter(f"{{{CALDAV}}}expand"), None) is not None
    return DavQuery(root.tag, names, *moments, expand=expand)


def multistatus(responses: list[PropResponse], extra: str = "") -> bytes:
    """The body of 207."""
    inner = "".join(_response(one) for one in responses)
    return f"{_HEAD}<d:multistatus {NAMESPACES}>{inner}{extra}</d:multistatus>".encode()


def precondition(name: str) -> bytes:
    """The body of an error that names a precondition of CalDAV."""
    return f"{_HEAD}<d:error {NAMESPACES}><c:{name}/></d:error>".encode()


def href(path: str) -> str:
    """An address within a property."""
    return f"<d:href>{escape(path)}</d:href>"


def text(value: str) -> str:
    """Text within a property."""
    return escape(value)


def _response(one: PropResponse) -> str:
    if one.status is not None:
        return f"<d:response>{href(one.href)}<d:status>HTTP/1.1 {one.status} x</d:status></d:response>"
    by_status: dict[int, list[str]] = {}
    for name, inner in one.properties.items():
        by_status.setdefault(200, []).append(_element(name, inner))
    for name, status in one.refused.items():
        by_status.setdefault(status, []).append(_element(name, ""))
    stats = "".join(
        f"<d:propstat><d:prop>{''.join(elements)}</d:prop>"
        f"<d:status>HTTP/1.1 {status} x</d:status></d:propstat>"
        for status, elements in by_status.items()
    )
    return f"<d:response>{href(one.href)}{stats}</d:response>"


def _element(name: str, inner: str) -> str:
    namespace, _, local = name.removeprefix("{").partition("}")
    tag = f"{_PREFIXES[namespace]}:{local}" if namespace in _PREFIXES else local
    return f"<{tag}>{inner}</{tag}>"


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
