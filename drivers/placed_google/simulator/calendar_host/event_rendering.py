"""An event as the Calendar API shows it to somebody, by their role on the calendar."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from placed_google.simulator.workspace.calendar_sharing import Role

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from placed_google.simulator.workspace.calendar_model import Calendar
    from placed_google.simulator.workspace.event_model import Attendee, Event, When

Json = dict[str, object]
FREE_BUSY_FIELDS = ("kind", "etag", "id", "status", "start", "end", "endTimeUnspecified", "eventType")
"""What is left of an event for somebody who may see free and busy times only."""
PRIVATE = ("private", "confidential")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a caller sees a calendar.

    Attributes:
        role: the caller's role.
        zone: in which moments are written.
        max_attendees: how many attendees an event shows; if it has more, only the calendar's own.
        keeps_own: whether the calendar's own attendee is kept then.
        shows_private: whether a `reader` sees the details of private events.
    """

    calendar: Calendar
    role: Role
    zone: ZoneInfo
    max_attendees: int | None = None
    keeps_own: bool = True
    shows_private: bool = False


def render(event: Event, view: View) -> Json:
    """The whole event, or what the role lets through."""
    if event.status == "cancelled":
        return _cancelled(event)
    whole = _whole(event, view)
    if view.role is Role.FREE_BUSY_READER:
        return {name: whole[name] for name in FREE_BUSY_FIELDS if name in whole}
    hidden = event.visibility in PRIVATE and view.role < Role.WRITER and not view.shows_private
    return _private(whole) if hidden else whole


def etag_of(event: Event) -> str:
    """The ETag of an event's present state, with its quotes."""
    text = f"{event.id}:{event.revision}:{event.updated.timestamp()}"
    return f'"{int(hashlib.sha256(text.encode()).hexdigest()[:12], 16):016d}"'


def timestamp(moment: datetime) -> str:
    """`2026-12-02T08:00:00.000Z`, as `created` and `updated` are written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def rfc3339(moment: datetime, zone: ZoneInfo) -> str:
    """`2026-12-02T09:00:00+01:00`; in UTC with a `Z`."""
    local = moment.astimezone(zone)
    return local.strftime("%Y-%m-%dT%H:%M:%SZ") if zone.key == "UTC" else local.isoformat(timespec="seconds")


def _whole(event: Event, view: View) -> Json:
    attendees, omitted = _attendees(event, view)
    own = view.calendar.id == event.organizer
    organizer: Json = {"email": event.organizer}
    if event.organizer_name is not None:
        organizer["displayName"] = event.organizer_name
    if own:
        organizer["self"] = True
    optional: Json = {
        "summary": event.summary,
        "description": event.description,
        "transparency": None if event.transparency == "opaque" else event.transparency,
        "visibility": None if event.visibility == "default" else event.visibility,
        "recurringEventId": event.series,
        "originalStartTime": _when(event.original_start, event, view) if event.original_start else None,
        "recurrence": list(event.recurrence) or None,
        "attendees": attendees or None,
        "attendeesOmitted": omitted or None,
        "extendedProperties": _properties(event),
        "endTimeUnspecified": event.end_unspecified or None,
    }
    return {
        "kind": "calendar#event",
        "etag": etag_of(event),
        "id": event.id,
        "status": event.status,
        "created": timestamp(event.created),
        "updated": timestamp(event.updated),
        "creator": organizer,
        "organizer": organizer,
        "start": _when(event.start, event, view),
        "end": _when(event.end, event, view),
        "iCalUID": event.uid,
        "sequence": event.revision,
        "eventType": event.event_type,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _properties(event: Event) -> Json | None:
    return {"private": dict(event.private_properties)} if event.private_properties else None


def _attendees(event: Event, view: View) -> tuple[list[Json], bool]:
    """The attendees that are shown, and whether others are left out."""
    everybody = event.attendees
    if view.max_attendees is None or len(everybody) <= view.max_attendees:
        return [_attendee(one, event, view) for one in everybody], False
    own = event.own(view.calendar.id)
    return ([_attendee(own, event, view)] if own is not None and view.keeps_own else []), True


def _attendee(one: Attendee, event: Event, view: View) -> Json:
    optional: Json = {
        "displayName": one.name,
        "organizer": one.email == event.organizer or None,
        "self": one.email == view.calendar.id or None,
        "resource": one.resource or None,
        "optional": one.optional or None,
        "comment": one.comment,
    }
    shown = {name: value for name, value in optional.items() if value is not None}
    return {"email": one.email, **shown, "responseStatus": one.response}


def _private(whole: Json) -> Json:
    """A private event for a `reader`: when it is, and the calendar's own answer."""
    attendees = whole.get("attendees", [])
    own = [one for one in attendees if one.get("self")] if isinstance(attendees, list) else []
    kept = (*FREE_BUSY_FIELDS, "visibility", "transparency", "iCalUID", "recurringEventId", "updated")
    shown = {name: whole[name] for name in kept if name in whole}
    return {**shown, "attendees": own} if own else shown


def _cancelled(event: Event) -> Json:
    """A deleted event: little more than its id (Google: `status`)."""
    return {"kind": "calendar#event", "etag": etag_of(event), "id": event.id, "status": "cancelled"}


def _when(when: When, event: Event, view: View) -> Json:
    if not isinstance(when, datetime):
        return {"date": when.isoformat()}
    return {"dateTime": rfc3339(when, view.zone), "timeZone": event.zone}
