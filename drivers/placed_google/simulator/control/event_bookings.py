"""Events on the calendars of rooms."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.workspace.event_model import (
    Attendee,
    EventStatus,
    Response,
    Transparency,
    Visibility,
)
from placed_google.simulator.workspace.event_series import Frequency
from placed_simulator.relative_time import parse_moment

if TYPE_CHECKING:
    from placed_google.simulator.control.console_call import Call
    from placed_google.simulator.workspace.workspace import Workspace


class NewEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event to book; `hold` makes it on the room's own calendar, `frequency` makes a series of it."""

    room: str
    start: str
    end: str
    summary: str | None = "Meeting"
    organizer: str = "Ada Example"
    guests: tuple[str, ...] = ()
    all_day: bool = False
    hold: bool = False
    frequency: Frequency | None = None
    interval: int = 1
    count: int | None = None
    transparency: Transparency = "opaque"
    visibility: Visibility = "default"
    status: EventStatus = "confirmed"
    event_type: str = "default"
    response: Response | None = None


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an event is moved to."""

    start: str
    end: str
    all_day: bool = False


def events(call: Call) -> object:
    """What is asked of events."""
    workspace = call.tenant
    match call.key():
        case ("POST",):
            return {"id": _book(workspace, call.read(NewEvent))}
        case ("POST", event, "move"):
            times = call.read(Times)
            start, end = (_when(workspace, text, all_day=times.all_day) for text in (times.start, times.end))
            workspace.move(event, start, end)
        case ("POST", event, "cancel"):
            workspace.cancel(event)
        case ("POST", event, "accept"):
            workspace.respond(event, "accepted")
        case ("POST", event, "decline" | "release"):
            workspace.release(event)
        case ("DELETE", event):
            workspace.event(event)
            workspace.delete(event)
        case _:
            raise call.unknown
    return None


def _book(workspace: Workspace, new: NewEvent) -> str:
    start, end = (_when(workspace, text, all_day=new.all_day) for text in (new.start, new.end))
    if new.hold:
        return workspace.hold(new.room, start, end, summary=new.summary)
    guests = [Attendee(email=workspace.address(guest)) for guest in new.guests]
    if new.frequency is not None:
        return workspace.book_series(
            new.room,
            start,
            end,
            frequency=new.frequency,
            interval=new.interval,
            count=new.count,
            summary=new.summary,
            organizer=new.organizer,
            guests=guests,
        )
    return workspace.book(
        new.room,
        start,
        end,
        summary=new.summary,
        organizer=new.organizer,
        guests=guests,
        transparency=new.transparency,
        visibility=new.visibility,
        status=new.status,
        event_type=new.event_type,
        response=new.response,
    )


def _when(workspace: Workspace, text: str, *, all_day: bool) -> datetime | date:
    return date.fromisoformat(text) if all_day else parse_moment(text, workspace.now())
