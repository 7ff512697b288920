"""Rooms of the status endpoint, and the filter for them. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Self

import msgspec

from placed.cli.room_table import Line
from placed.domain.model import Status
from placed.domain.presence import Use
from placed.panel.received_documents import PresenceHeard

if TYPE_CHECKING:
    from enum import StrEnum

_Time = Annotated[datetime, msgspec.Meta(tz=True)]
_FREE = (Status.FREE, Status.STARTING)


class _Next(msgspec.Struct, frozen=True):
    start: _Time


class ListedRoom(msgspec.Struct, frozen=True):
    """A room of the status endpoint, with the members that are shown."""

    room: str
    name: str
    status: str
    stale: bool
    valid_until: _Time
    next: _Next | None = None
    busy_until: _Time | None = None
    free_until: _Time | None = None
    reason: str | None = None
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None
    presence: PresenceHeard | None = None
    use: str | None = None

    def status_at(self, moment: datetime) -> str:
        """The status; unknown after `valid_until`."""
        return self.status if moment < self.valid_until else Status.UNKNOWN.value

    def use_at(self, moment: datetime) -> str | None:
        """How the room is used; None after `valid_until` of the room or of its presence."""
        presence = self.presence
        known = presence is not None and moment < min(presence.valid_until, self.valid_until)
        return self.use if known else None

    def line(self, moment: datetime, lost: str | None = None) -> Line:
        """The row of the table; `lost` is the reason if there is no connection."""
        if lost is not None or moment >= self.valid_until:
            note = lost or "not updated in time"
            return Line(self.name, self.building, self.floor, Status.UNKNOWN.value, note=note)
        return Line(
            self.name,
            self.building,
            self.floor,
            self.status,
            until=self.busy_until or self.free_until,
            next_start=self.next.start if self.next else None,
            stale=self.stale,
            note=self.reason or "",
            presence=self.presence.at(moment, self.valid_until) if self.presence is not None else None,
            use=self.use_at(moment),
        )


class Listing(msgspec.Struct):
    """The answer of /api/v1/rooms."""

    schema: int
    epoch: int
    seq: int
    rooms: list[msgspec.Raw]

    def filtered(self, wanted: RoomFilter, moment: datetime) -> bytes:
        """The listing with matching rooms only; their documents stay the same bytes."""
        rooms = [raw for raw in self.rooms if wanted.matches(read_room(bytes(raw)), moment)]
        return msgspec.json.encode(msgspec.structs.replace(self, rooms=rooms))


read_room = msgspec.json.Decoder(ListedRoom).decode
read_listing = msgspec.json.Decoder(Listing).decode


@dataclass(frozen=True, slots=True)
class RoomFilter:
    """The conditions for a room; empty ones match all. Case and accents are ignored."""

    buildings: frozenset[str] = frozenset()
    floors: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    capacity: int | None = None
    free_for: timedelta | None = None
    words: tuple[str, ...] = ()  # each must be part of the room's name, id, building or floor

    @classmethod
    def of(  # noqa: PLR0913 - the options
        cls,
        *,
        building: list[str],
        floor: list[str],
        status: list[str],
        use: list[str],
        capacity: int | None,
        free_for: str | None,
        search: str | None,
    ) -> Self:
        """Creates the filter from the options.

        Raises:
            ValueError: (option, what is wrong with it).
        """
        return cls(
            buildings=frozenset(map(_folded, building)),
            floors=frozenset(map(_folded, floor)),
            statuses=_words("--status", status, Status),
            uses=_words("--use", use, Use),
            capacity=capacity,
            free_for=_duration(free_for) if free_for is not None else None,
            words=tuple(_folded(search or "").split()),
        )

    def matches(self, room: ListedRoom, moment: datetime, *, lost: bool = False) -> bool:
        """Whether the room matches at the moment; `lost` if there is no connection."""
        status = Status.UNKNOWN.value if lost else room.status_at(moment)
        return (
            (not self.buildings or _folded(room.building or "") in self.buildings)
            and (not self.floors or _folded(room.floor or "") in self.floors)
            and (not self.statuses or status in self.statuses)
            and (not self.uses or (not lost and room.use_at(moment) in self.uses))
            and (self.capacity is None or (room.capacity is not None and room.capacity >= self.capacity))
            and (self.free_for is None or self._stays_free(room, status, moment))
            and (not self.words or self._is_named(room))
        )

    def _is_named(self, room: ListedRoom) -> bool:
        text = _folded(" ".join(filter(None, (room.name, room.room, room.building, room.floor))))
        return all(word in text for word in self.words)

    def changes_in(self, room: ListedRoom, moment: datetime) -> float | None:
        """Seconds until the room changes by itself, or no longer matches."""
        times = [room.valid_until]
        if room.presence is not None:
            times.append(room.presence.valid_until)
        if self.free_for is not None and room.free_until is not None:
            times.append(room.free_until - self.free_for)
        coming = [(time - moment).total_seconds() for time in times if time > moment]
        return min(coming, default=None)

    def _stays_free(self, room: ListedRoom, status: str, moment: datetime) -> bool:
        """As in /api/v1/rooms: a stale room never counts as free."""
        return (
            not room.stale
            and status in _FREE
            and (room.free_until is None or room.free_until - moment >= (self.free_for or timedelta(0)))
        )


def _words(option: str, values: list[str], known: type[StrEnum]) -> frozenset[str]:
    """The words of an option that may be given several times, each with several separated by commas."""
    words = frozenset(word.strip() for value in values for word in value.split(","))
    for word in sorted(words - set(known)):
        raise ValueError(option, f"{word!r} is none of {', '.join(known)}")
    return words


@lru_cache(maxsize=20_000)
def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def _duration(text: str) -> timedelta:
    from pydantic import TypeAdapter, ValidationError

    from placed.driver.setting_values import Duration

    try:
        return TypeAdapter[timedelta](Duration).validate_python(text)
    except (ValidationError, OverflowError):
        raise ValueError("--free-for", f"{text!r} is not a duration such as 45m or 2h") from None
