"""What a truthful panel shows, from the MQTT messages that it received and two clocks. Pure.

It follows the published contract alone and shares no code with the publisher, so it can represent every panel
that somebody builds. Its rules:

- A state is shown until its `valid_until` by the wall clock, or until its message expires by the monotonic
  clock, whichever comes first.
- No room is shown while `bridge/state` is `offline`, is 90 seconds old, or was never received.
- No room is shown without a connection to the broker: changes would not arrive.
- Of two states the one with the greater (epoch, seq) is true, in whatever order they arrive.
- Invalid documents are not shown: another schema, an unknown status, no JSON.
- A presence is shown until its own `valid_until`, also beside an unknown status that the daemon published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from placed.domain.model import Status
from placed.panel.received_documents import understood_bridge, understood_index, understood_state

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from placed.panel.received_documents import PresenceHeard, StateHeard

BRIDGE_HOLDS = 90.0  # seconds for which `online` is believed; it is published every 30 seconds

_NO_OFFSET = timedelta(0)


class Why(StrEnum):
    """Why a panel shows a room as unknown."""

    DISCONNECTED = "disconnected"  # from the broker
    BRIDGE_OFFLINE = "bridge_offline"  # the daemon has ended, or was cut off
    BRIDGE_SILENT = (
        "bridge_silent"  # it published nothing for too long, or the broker holds no `bridge/state`
    )
    NO_STATE = "no_state"  # the broker holds no state of the room
    UNREADABLE = "unreadable"  # the document is no valid state
    OUTDATED = "outdated"  # valid_until has passed
    EXPIRED = "expired"  # the message has expired
    UNAVAILABLE = "unavailable"  # the topic `availability` holds `offline`
    REPORTED = "reported"  # the daemon publishes `unknown`, with a reason


@dataclass(frozen=True, slots=True)
class Moment:
    """The present by two clocks: the wall clock, and a monotonic one in seconds."""

    wall: datetime
    steady: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A received message. `retain`: the broker held it; `expiry`: seconds until it expires."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The description of a room in the index."""

    name: str
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the panel shows of a room.

    `until` is when a free room becomes busy or a busy one free; None if that is not known. An unknown room
    has a `why`, and the daemon's `reason` if the daemon made it unknown. `presence` is None without sensors.
    """

    room: str
    place: Place
    status: Status
    until: datetime | None = None
    next_start: datetime | None = None
    stale: bool = False
    why: Why | None = None
    reason: str | None = None
    valid_until: datetime | None = None
    presence: PresenceHeard | None = None
    use: str | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    """The last state of a room; no document if it was invalid."""

    document: StateHeard | None
    deadline: float | None  # by the monotonic clock: when the message expires


class Panel:
    """A panel for one base topic.

    Args:
        base: the base topic, such as `placed`.
        rooms: the ids of the rooms that it shows; by default all rooms.
    """

    def __init__(self, base: str = "placed", rooms: Iterable[str] = ()) -> None:
        self.wanted = tuple(dict.fromkeys(rooms))
        self.clock_offset = _NO_OFFSET  # how far the daemon's clock seems to be ahead of ours
        self._base = base
        self._connected = False
        self._bridge: str | None = None
        self._bridge_deadline = 0.0
        self._places: dict[str, Place] = {}
        self._listed = False
        self._held: dict[str, _Held] = {}
        self._newest: dict[str, tuple[int, int]] = {}
        self._unavailable: set[str] = set()

    # --- received messages ---

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to."""
        own = (f"{self._base}/bridge/state", f"{self._base}/rooms")
        return own + tuple(
            f"{self._base}/rooms/{room}/{topic}"
            for room in self.wanted or ("+",)
            for topic in ("availability", "state")
        )

    def connect(self) -> None:
        """The panel is subscribed, and the retained messages have arrived."""
        self._connected = True

    def disconnect(self) -> None:
        """The connection is lost. Retained messages arrive again with the next one; names and order stay."""
        self._connected = False
        self._bridge = None
        for room, held in self._held.items():
            self._places.setdefault(room, Place(held.document.name if held.document else room))
        self._held.clear()
        self._unavailable.clear()
        self._listed = False

    def hear(self, message: Heard, moment: Moment) -> str | None:
        """Takes a message; returns the room that it is about, None if it is about all rooms or none."""
        topic = message.topic.removeprefix(f"{self._base}/")
        if topic == "bridge/state":
            self._hear_bridge(message, moment)
        elif topic == "rooms":
            self._hear_index(message)
        elif topic.startswith("rooms/"):
            _, room, *rest = topic.split("/")
            if rest == ["state"]:
                self._hear_state(room, message, moment)
                return room
            if rest == ["availability"]:
                (self._unavailable.add if message.payload == b"offline" else self._unavailable.discard)(room)
                return room
        return None

    def _hear_bridge(self, message: Heard, moment: Moment) -> None:
        self._bridge = understood_bridge(message.payload)
        holds = BRIDGE_HOLDS if message.expiry is None else min(BRIDGE_HOLDS, message.expiry)
        self._bridge_deadline = moment.steady + holds

    def _hear_index(self, message: Heard) -> None:
        entries = understood_index(message.payload)
        if entries is None:
            return
        self._listed = True
        self._places = {e.id: Place(e.name, e.building, e.floor, e.capacity) for e in entries}

    def _hear_state(self, room: str, message: Heard, moment: Moment) -> None:
        if not message.payload:  # cleared: the room or its state was removed
            self._held.pop(room, None)
            self._newest.pop(room, None)
            return
        deadline = None if message.expiry is None else moment.steady + message.expiry
        document = understood_state(room, message.payload)
        if document is not None:
            order = document.epoch, document.seq
            if order < self._newest.get(room, order):
                return
            self._newest[room] = order
            self.clock_offset = _offset(document, message, moment.wall)
        self._held[room] = _Held(document, deadline)

    # --- what the panel shows ---

    @property
    def rooms(self) -> list[str]:
        """The ids of the rooms that the panel shows."""
        return list(self.wanted) if self.wanted else sorted(self._places.keys() | self._held.keys())

    def knows(self, room: str) -> bool:
        """Returns whether the panel shows the room."""
        return room in self.wanted if self.wanted else room in self._places or room in self._held

    @property
    def complete(self) -> bool:
        """Whether a message of everything that is shown has arrived, so that nothing needs to be awaited."""
        wanted = self.wanted or self._places.keys()
        return self._bridge is not None and self._listed and all(room in self._held for room in wanted)

    def shows(self, room: str, moment: Moment) -> Shown:
        """Returns what the panel shows of the room at the moment."""
        held = self._held.get(room)
        document = held.document if held else None
        place = self._places.get(room) or Place(document.name if document else room)
        why = self._why_all(moment) or self._why(room, moment)
        valid_until = document.valid_until if document else None
        if why is not None or document is None:
            reason = document.reason if document and why in (Why.REPORTED, Why.UNAVAILABLE) else None
            shown = Shown(room, place, Status.UNKNOWN, why=why, reason=reason, valid_until=valid_until)
            if document is None or why is not Why.REPORTED:
                return shown
            return replace(shown, presence=document.presence_at(moment.wall))
        return Shown(
            room,
            place,
            document.status,
            until=document.free_until or document.busy_until,
            next_start=document.next.start if document.next else None,
            stale=document.stale,
            reason=document.reason,
            valid_until=valid_until,
            presence=document.presence_at(moment.wall),
            use=document.use_at(moment.wall),
        )

    def holds(self, moment: Moment) -> float | None:
        """Returns the seconds until something that is shown changes by itself; None if nothing will."""
        left = [held.deadline - moment.steady for held in self._held.values() if held.deadline is not None]
        left += [
            (end - moment.wall).total_seconds()
            for held in self._held.values()
            if held.document is not None
            for end in held.document.ends
        ]
        left.append(self._bridge_deadline - moment.steady)
        return min((seconds for seconds in left if seconds > 0), default=None)

    def _why_all(self, moment: Moment) -> Why | None:
        if not self._connected:
            return Why.DISCONNECTED
        if self._bridge == "offline":
            return Why.BRIDGE_OFFLINE
        if self._bridge != "online" or moment.steady >= self._bridge_deadline:
            return Why.BRIDGE_SILENT
        return None

    def _why(self, room: str, moment: Moment) -> Why | None:
        held = self._held.get(room)
        if held is None:
            return Why.NO_STATE
        if held.document is None:
            return Why.UNREADABLE
        if moment.wall >= held.document.valid_until:
            return Why.OUTDATED
        if held.deadline is not None and moment.steady >= held.deadline:
            return Why.EXPIRED
        if held.document.status is Status.UNKNOWN:
            return Why.REPORTED
        return Why.UNAVAILABLE if room in self._unavailable else None


def _offset(document: StateHeard, message: Heard, wall: datetime) -> timedelta:
    """Returns how far the daemon's clock is ahead of ours, as a message shows it.

    With an expiry it is exact to a second or two, since the expiry is the time that was left until
    `valid_until` by the daemon's clock. Without one only the impossible shows it: a calendar that was read in
    the future, or a state that was published after it had become invalid.
    """
    if message.expiry is not None:
        return document.valid_until - (wall + timedelta(seconds=message.expiry))
    if document.observed_at is not None and document.observed_at > wall:
        return document.observed_at - wall
    if not message.retain and document.valid_until < wall:
        return document.valid_until - wall
    return _NO_OFFSET
