"""The rooms of a Google Workspace in which panels act: what is booked, and what the daemon has written.

Uses no code of the daemon.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from placed_google.simulator import Role
from placed_simulator.command_line import write_private
from tests.fault_injection.panel_hands import LONGEST, ActingRooms
from tests.fault_injection.tenant_ledger import CalendarWrite, WriteKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from placed_google.simulator import Event, Simulator, Workspace
    from placed_google.simulator.workspace.calendar_model import EventWrite

ACTING = ActingRooms(("google-acting-1", "google-acting-2"), ("google-acting-3", "google-acting-4"))
_PROPERTY = "placed"  # of an event that placed has made; its value is the command's key


@dataclass(frozen=True, slots=True)
class BookedEvent:
    """A timed event of a room; `cancelled` also if the room has declined it."""

    id: str
    start: datetime
    end: datetime
    cancelled: bool


class WorkspaceBookings:
    """The calendars of the rooms, and a record of every write.

    Args:
        workspace: gets the rooms.

    Attributes:
        writes: all that applications have written, in order.
        changed: is called after each of them.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.writes: list[CalendarWrite] = []
        self.changed: Callable[[], None] = lambda: None
        self._workspace = workspace
        self.rooms = [workspace.add_room(name, zone="Europe/Berlin") for name in ACTING.all]
        workspace.on_write = self._record

    def let_write(self, simulator: Simulator, folder: Path) -> str:
        """Makes a service account that may change these rooms alone; returns the table of actions."""
        account = self._workspace.add_service_account("placed-actions")
        self._workspace.share_rooms(account, Role.WRITER, self.rooms)
        key_file = folder / "placed-actions-key.json"
        write_private(key_file, simulator.make_key(account).encode())
        return f"""[connections.actions]
key_file = {json.dumps(str(key_file))}
allow = ["check-in", "end", "extend", "book"]
longest = "{LONGEST.seconds}s"
end = "decline"
"""

    # --- what people see and do ---

    def meetings(self, room: str) -> list[BookedEvent]:
        """The timed events of a room that nobody has cancelled."""
        calendar = self._workspace.calendar(room)
        return [
            BookedEvent(event.id, event.start, event.end, not event.makes_busy(calendar.id))
            for event in self._workspace.events(room)
            if isinstance(event.start, datetime)
            and isinstance(event.end, datetime)
            and event.status != "cancelled"
        ]

    def book(self, room: str, start: datetime, end: datetime) -> None:
        """Somebody books the room."""
        self._workspace.book(room, start, end)

    def move(self, event_id: str, start: datetime, end: datetime) -> None:
        """The organizer moves an event, and the room answers again."""
        self._workspace.move(event_id, start, end)

    def delete(self, event_id: str) -> None:
        """The organizer deletes an event."""
        self._workspace.delete(event_id)

    # --- what is true ---

    def runs(self, room: str, start: datetime, later: datetime) -> bool:
        """Whether a meeting with that start still runs at a later moment."""
        return any(m.start == start and m.end > later and not m.cancelled for m in self.meetings(room))

    def holds(self, room: str, key: str) -> bool:
        """Whether the room is occupied by what was booked with such a key."""
        calendar = self._workspace.calendar(room)
        events = (event for event in calendar.events.values() if event.makes_busy(calendar.id))
        return any(_key_of(event) == key and event.start < event.end for event in events)

    def _record(self, write: EventWrite) -> None:
        event = write.before or write.after
        assert event is not None
        assert isinstance(event.start, datetime)
        assert isinstance(event.end, datetime)
        after = None if write.after is None else write.after.end
        kind = _kind_of(write)
        shows = kind in (WriteKind.CREATED, WriteKind.RETIMED) and isinstance(after, datetime)
        self.writes.append(
            CalendarWrite(
                len(self.writes),
                kind,
                write.calendar.name,
                event.id,
                event.start,
                event.end,
                after if shows and isinstance(after, datetime) else None,
                _key_of(event),
            )
        )
        self.changed()


def _kind_of(write: EventWrite) -> WriteKind:
    """What a write did; an end that deletes notifies, and taking a booking back does not."""
    if write.before is None:
        return WriteKind.CREATED
    if write.after is None:
        return WriteKind.CANCELLED if write.notifies else WriteKind.DELETED
    own = write.after.own(write.calendar.id)
    return WriteKind.DECLINED if own is not None and own.response == "declined" else WriteKind.RETIMED


def _key_of(event: Event) -> str | None:
    return dict(event.private_properties).get(_PROPERTY)
