"""The answers of a made-up Graph, as bytes: rooms that have the same number of meetings every day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# A Wednesday, far from any change of clocks, and after the release: before it a clock counts as unset, and
# all rooms as unknown.
TODAY = datetime(2027, 2, 10, tzinfo=UTC)
DAYS = (-1, 0, 1)  # as far as is read with the usual settings
MEETINGS = 8  # a day
FIRST, LENGTH, EVERY = timedelta(hours=8), timedelta(minutes=45), timedelta(hours=1)
DOMAIN = "contoso.example"
# Graph's ids are some 150 characters, of which the mailbox's part is the same in all of a room.
_PREFIX = "AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OABGAAAAAADX5mEbaA0jSKh0i3GUSWsyBwD"
_HEADERS = {"Cache-Control": "private", "Content-Type": "application/json"}


def address(room: int) -> str:
    """The room mailbox's address."""
    return f"room{room:05}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which meetings there are: the midnight that today begins at, and how many each of the days has."""

    today: datetime = TODAY
    meetings: tuple[int, ...] = (MEETINGS,) * len(DAYS)


USUAL = Plan()


def events(room: int, version: int = 0, plan: Plan = USUAL) -> list[dict[str, Any]]:
    """A room's calendar view. With another version one meeting of today is at another time."""
    found = []
    for day, meetings in zip(DAYS, plan.meetings, strict=True):
        for number in range(meetings):
            start = plan.today + timedelta(days=day) + FIRST + number * EVERY
            moved = timedelta(minutes=version % 15) if (day, number) == (0, meetings - 1) else timedelta()
            found.append(_event(f"{room:05}{day + 1}{number:03}", start + moved))
    return found


def _event(name: str, start: datetime) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{start:%H%M}q3rSCkuDsU+gLndJ2ydDAAAB{name}=="',
        "id": f"{_PREFIX}{name * 5}AAAENAABq3rSCkuDsU{name}=",
        "showAs": "busy",
        "isAllDay": False,
        "isCancelled": False,
        "sensitivity": "normal",
        "responseStatus": {"response": "accepted", "time": "2026-10-01T09:00:00Z"},
        "start": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
        "end": {"dateTime": f"{start + LENGTH:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"},
    }


def view(room: int, version: int = 0, plan: Plan = USUAL) -> bytes:
    """The answer to a GET of the room's calendar view."""
    return _encoded(_view(room, version, plan))


def _view(room: int, version: int, plan: Plan) -> dict[str, Any]:
    context = f"https://graph.microsoft.com/v1.0/$metadata#users('room{room:05}')/calendarView"
    return {"@odata.context": context, "value": events(room, version, plan)}


def places(rooms: range) -> dict[str, Any]:
    """A page of the tenant's rooms."""
    context = "https://graph.microsoft.com/v1.0/$metadata#places/microsoft.graph.room"
    return {"@odata.context": context, "value": [_place(room) for room in rooms]}


def _place(room: int) -> dict[str, Any]:
    return {
        "id": f"3162F1E1-C4C0-604B-51D8-91DA7{room:07}",
        "displayName": f"Room {room}",
        "nickname": f"Room {room}",
        "emailAddress": address(room),
        "building": f"Building {room // 500}",
        "floorNumber": room // 50 % 10,
        "floorLabel": None,
        "capacity": 4 + room % 12,
        "bookingType": "standard",
        "tags": [],
        "isWheelChairAccessible": True,
    }


def batch(rooms: range, version: int = 0, plan: Plan = USUAL) -> bytes:
    """The answer to a batch that asks for these rooms; as Graph may, in an order of its own."""
    items = [
        {"id": str(n), "status": 200, "headers": _HEADERS, "body": _view(room, version, plan)}
        for n, room in enumerate(rooms)
    ]
    return _encoded({"responses": items[1::2] + items[::2]})


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
