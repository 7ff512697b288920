"""The answers of a made-up Google Calendar, as bytes: the same meetings as `graph_responses` has."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from tests.benchmarks.servers.graph_responses import DAYS, EVERY, FIRST, LENGTH, MEETINGS, TODAY

BOUNDARY = "batch_Jr8ZAzHZ2mQ"
PART = (
    "--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-{place}>\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nVary: Origin\r\nVary: X-Origin\r\n"
    "Vary: Referer\r\n\r\n{body}\r\n"
)


def calendar(room: int) -> str:
    """The id of the room's calendar."""
    return f"c_{room:05}@resource.calendar.google.com"


def events(room: int, version: int = 0) -> dict[str, Any]:
    """A page with all of a room's events. With another version one meeting of today is at another time."""
    items = []
    for day in DAYS:
        for number in range(MEETINGS):
            start = TODAY + timedelta(days=day) + FIRST + number * EVERY
            moved = timedelta(minutes=version % 15) if (day, number) == (0, MEETINGS - 1) else timedelta()
            items.append(_event(f"r{room:05}x{day + 1}{number:03}", start + moved))
    return {"timeZone": "UTC", "accessRole": "reader", "items": items}


def _event(name: str, start: datetime) -> dict[str, Any]:
    return {
        "id": f"{name * 2}_{start:%Y%m%dT%H%M%SZ}",
        "status": "confirmed",
        "start": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%SZ}", "timeZone": "UTC"},
        "end": {"dateTime": f"{start + LENGTH:%Y-%m-%dT%H:%M:%SZ}", "timeZone": "UTC"},
        "attendees": [{"self": True, "resource": True, "responseStatus": "accepted"}],
        "eventType": "default",
    }


def page(room: int, version: int = 0) -> bytes:
    """The answer to a GET of the room's events."""
    return json.dumps(events(room, version), separators=(",", ":")).encode()


def batch(rooms: range, version: int = 0) -> bytes:
    """The answer to a batch that asks for these rooms; as Google may, in an order of its own."""
    parts = [
        PART.format(boundary=BOUNDARY, place=place, body=page(room, version).decode())
        for place, room in enumerate(rooms)
    ]
    return "".join([*parts[1::2], *parts[::2], f"--{BOUNDARY}--\r\n"]).encode()
