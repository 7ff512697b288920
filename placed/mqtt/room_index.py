"""The index of rooms: the published document, and that of an earlier run, which is untrusted. Pure."""

from __future__ import annotations

import re
from collections import deque
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import msgspec

from placed.domain.state_document import SCHEMA
from placed.mqtt.messages import Message
from placed.mqtt.topics import BUTTON_ENTITIES
from placed.settings.output_settings import is_discovery_prefix

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator

    from placed.domain.model import Room
    from placed.mqtt.topics import Topics

LARGEST = 8 * 1024 * 1024  # bytes; a larger index is ignored. 5,500 rooms take about 2 MiB
_SLICE = 50  # rooms
MOST = 20_000  # rooms; the rest of an earlier index is ignored

_ID = re.compile(r"[a-z0-9_-]{1,200}")
_Text = Annotated[str, msgspec.Meta(max_length=500)]


class Entry(msgspec.Struct, frozen=True):
    """A room in the index."""

    id: _Text
    name: _Text
    connection: _Text
    building: _Text | None = None
    floor: _Text | None = None
    capacity: int | None = None
    topics: dict[_Text, str] = {}
    presence: bool = False  # whether the broker may hold messages of its presence


class _Index(msgspec.Struct, omit_defaults=True):
    schema: int
    epoch: int
    rooms: msgspec.Raw
    discovery: str | None = None  # the discovery prefix; None if discovery is off
    buttons: list[str] = []  # which buttons rooms may have there


class _Earlier(msgspec.Struct):
    rooms: list[msgspec.Raw]


class _EarlierEpoch(msgspec.Struct):
    epoch: int = 0


class _EarlierDiscovery(msgspec.Struct):
    discovery: str | None = None


class _EarlierButtons(msgspec.Struct):
    buttons: list[str] = []


_id = attrgetter("id")
_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(_Earlier).decode
_read_entry = msgspec.json.Decoder(Entry).decode
_read_epoch = msgspec.json.Decoder(_EarlierEpoch).decode
_read_discovery = msgspec.json.Decoder(_EarlierDiscovery).decode
_read_buttons = msgspec.json.Decoder(_EarlierButtons).decode


def encode_rooms(  # noqa: PLR0913 - what the array is made of
    document: bytearray,
    topics: Topics,
    rooms: Iterable[Room],
    kept: Iterable[Entry],
    *,
    plain: bool,
    presence: Container[str] = (),
) -> Iterator[None]:
    """Appends the rooms, and those `kept` from an earlier run that may have been removed, as a JSON array.

    It pauses after each slice of rooms, so that other tasks can run: thousands of rooms take tens of
    milliseconds. The array grows in one piece of memory: the entries of all rooms at once would take five
    times as much, and what is freed among what others keep is not given back.

    Args:
        document: what is appended to; whole once the iteration has ended.
        topics: the topics of rooms.
        rooms: of the board.
        kept: of an earlier run.
        plain: whether rooms have plain topics.
        presence: the ids of the rooms whose presence the broker may hold.
    """
    of_rooms = (
        Entry(r.id, r.name, r.connection, r.building, r.floor, r.capacity, presence=r.id in presence)
        for r in sorted(rooms, key=_id)
    )
    document += b"["
    for number, entry in enumerate(merge(of_rooms, sorted(kept, key=_id), key=_id)):
        if number:
            document += b","
        document += _encode(msgspec.structs.replace(entry, topics=_topics(topics, entry, plain=plain)))
        if number % _SLICE == _SLICE - 1:
            yield
    document += b"]"


def encode_at_once(pauses: Iterator[None]) -> None:
    """Encodes all rooms without a pause, for those who hold up nobody."""
    deque(pauses, maxlen=0)


def index_message(topics: Topics, rooms: bytearray, epoch: int, *, buttons: Collection[str] = ()) -> Message:
    """Returns the index with an array of rooms; `buttons` names those that the broker may hold of rooms."""
    index = _Index(SCHEMA, epoch, msgspec.Raw(rooms), topics.discovery, sorted(buttons))
    return Message(topics.rooms, _encode(index))


def earlier_rooms(payload: bytes) -> dict[str, Entry]:
    """Returns the rooms of an earlier index; entries that are no rooms are ignored.

    Anybody who may publish can have written it, so only room ids are taken from it, and only those that a
    room can have: none with a wildcard.
    """
    if len(payload) > LARGEST:
        return {}
    try:
        entries = _read(payload).rooms[:MOST]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    found: dict[str, Entry] = {}
    for raw in entries:
        try:
            entry = _read_entry(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if is_room_id(entry.id):
            found[entry.id] = entry
    return found


def earlier_epoch(payload: bytes) -> int:
    """Returns the epoch of an earlier index; 0 if it has none."""
    if len(payload) > LARGEST:
        return 0
    try:
        return _read_epoch(payload).epoch
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0


def earlier_discovery(payload: bytes) -> str | None:
    """Returns the discovery prefix of an earlier index; None if it has none, or an invalid one."""
    if len(payload) > LARGEST:
        return None
    try:
        found = _read_discovery(payload).discovery
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if found is not None and is_discovery_prefix(found) else None


def earlier_buttons(payload: bytes) -> frozenset[str]:
    """Returns the names of the buttons in an earlier index; only those that there are."""
    if len(payload) > LARGEST:
        return frozenset()
    try:
        return frozenset(_read_buttons(payload).buttons) & BUTTON_ENTITIES.keys()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return frozenset()


def is_room_id(text: str) -> bool:
    """Returns whether this can be the id of a room: one level of a topic, and no wildcard."""
    return _ID.fullmatch(text) is not None


def _topics(topics: Topics, entry: Entry, *, plain: bool) -> dict[str, str]:
    room_id = entry.id
    named = {
        "state": topics.state(room_id),
        "availability": topics.availability(room_id),
        "event": topics.event(room_id),
    }
    if plain:
        named |= {"occupied": topics.occupied(room_id), "status": topics.status(room_id)}
        if entry.presence:
            named["presence"] = topics.presence(room_id)
    return named
