"""Which resource of Graph a path means. Names of casts are compared without case, as Graph does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from urllib.parse import unquote


class Resource(Enum):
    """What the simulated Graph can answer."""

    CALENDAR = auto()
    CALENDAR_VIEW = auto()
    EVENTS = auto()
    EVENT = auto()
    EVENT_DECLINE = auto()
    EVENT_CANCEL = auto()
    BATCH = auto()
    GROUPS = auto()
    GROUP = auto()
    MEMBERS = auto()
    MEMBER_USERS = auto()
    TRANSITIVE_MEMBERS = auto()
    TRANSITIVE_MEMBER_USERS = auto()
    ROOMS = auto()
    ROOM_LISTS = auto()
    ROOMS_OF_LIST = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A resource, the key in its path (a user, a group, a room list), and the query as it came.

    `event` is the id of an event below a user, as it was sent.
    """

    resource: Resource
    key: str
    query: str
    event: str = ""


KEY = "*"
_PATTERNS: dict[tuple[str, ...], Resource] = {
    ("users", KEY, "calendar"): Resource.CALENDAR,
    ("users", KEY, "calendarview"): Resource.CALENDAR_VIEW,
    ("users", KEY, "calendar", "calendarview"): Resource.CALENDAR_VIEW,
    ("users", KEY, "events"): Resource.EVENTS,
    ("users", KEY, "calendar", "events"): Resource.EVENTS,
    ("$batch",): Resource.BATCH,
    ("groups",): Resource.GROUPS,
    ("groups", KEY): Resource.GROUP,
    ("groups", KEY, "members"): Resource.MEMBERS,
    ("groups", KEY, "members", "microsoft.graph.user"): Resource.MEMBER_USERS,
    ("groups", KEY, "transitivemembers"): Resource.TRANSITIVE_MEMBERS,
    ("groups", KEY, "transitivemembers", "microsoft.graph.user"): Resource.TRANSITIVE_MEMBER_USERS,
    ("places", "microsoft.graph.room"): Resource.ROOMS,
    ("places", "microsoft.graph.roomlist"): Resource.ROOM_LISTS,
    ("places", KEY, "microsoft.graph.roomlist", "rooms"): Resource.ROOMS_OF_LIST,
}


_EVENTS: dict[tuple[str, ...], Resource] = {
    (): Resource.EVENT,
    ("decline",): Resource.EVENT_DECLINE,
    ("cancel",): Resource.EVENT_CANCEL,
}


@lru_cache(maxsize=20_000)
def route_of(target: str) -> Route:
    """The route of a path and query below `/v1.0`."""
    path, _, query = target.partition("?")
    parts = [unquote(part) for part in path.strip("/").split("/")]
    lowered = tuple(part.lower() for part in parts)
    found = _PATTERNS.get(lowered)
    if found is not None:
        return Route(found, "", query)
    if len(parts) > 1:
        found = _PATTERNS.get((lowered[0], KEY, *lowered[2:]))
        if found is not None:
            return Route(found, parts[1], query)
    if len(parts) > 3 and (lowered[0], lowered[2]) == ("users", "events"):  # noqa: PLR2004 - an id after it
        found = _EVENTS.get(lowered[4:])
        if found is not None:
            return Route(found, parts[1], query, parts[3])
    return Route(Resource.UNKNOWN, path, query)
