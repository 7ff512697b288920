"""`GET /calendars/{calendarId}/events` (Google: Events: list)."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import ApiError, invalid
from placed_google.simulator.calendar_host.event_rendering import View, render, timestamp
from placed_google.simulator.calendar_host.query_parameters import flag, known_only, moment, number, zone_of
from placed_google.simulator.field_mask import parse_mask
from placed_google.simulator.page_tokens import offset_of, page_token
from placed_google.simulator.workspace.calendar_sharing import Role
from placed_google.simulator.workspace.event_model import moment_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.calendar_model import Calendar
    from placed_google.simulator.workspace.event_model import Event
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import Reply

DEFAULT_RESULTS = 250
MOST_RESULTS = 2500
ORDERS = ("", "startTime", "updated")
NOT_WITH_SYNC_TOKEN = ("iCalUID", "orderBy", "q", "timeMin", "timeMax", "updatedMin")
PARAMETERS = (
    "alwaysIncludeEmail",
    "eventTypes",
    "iCalUID",
    "maxAttendees",
    "maxResults",
    "orderBy",
    "pageToken",
    "q",
    "showDeleted",
    "showHiddenInvitations",
    "singleEvents",
    "syncToken",
    "timeMax",
    "timeMin",
    "timeZone",
    "updatedMin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a calendar is asked for."""

    since: datetime | None
    until: datetime | None
    zone: ZoneInfo
    most: int
    offset: int
    single: bool
    deleted: bool
    order: str
    types: frozenset[str]
    uid: str | None
    text: str


def list_events(workspace: Workspace, call: ApiCall, calendar: Calendar, role: Role) -> Reply:
    """One page of the calendar, as the role may see it."""
    wanted = _wanted(call, calendar, workspace.most_on_a_page)
    mask = parse_mask(call.query["fields"], "Events") if "fields" in call.query else None
    events = _chosen(calendar.as_listed(workspace.now()), role, wanted)
    page = events[wanted.offset : wanted.offset + wanted.most]
    view = view_of(workspace, call, calendar, role)
    document: dict[str, object] = {
        "kind": "calendar#events",
        "etag": f'"p{calendar.version:015d}"',
        "summary": calendar.name,
        "description": "",
        "updated": timestamp(max((event.updated for event in events), default=call.moment)),
        "timeZone": wanted.zone.key,
        "accessRole": role.wire,
        "defaultReminders": [],
        "items": [render(event, view) for event in page],
    }
    following = wanted.offset + len(page)
    if following < len(events):
        document["nextPageToken"] = page_token(following)
    else:
        document["nextSyncToken"] = f"sync{calendar.version}"
    if mask is not None and workspace.answers.access_role_is_masked:
        del document["accessRole"]
    return call.json(document if mask is None else mask.apply(document))


def view_of(workspace: Workspace, call: ApiCall, calendar: Calendar, role: Role) -> View:
    """How the caller wants events written."""
    return View(
        calendar=calendar,
        role=role,
        zone=zone_of(call.query.get("timeZone", calendar.zone)),
        max_attendees=number(call, "maxAttendees", 0) or None,
        keeps_own=workspace.answers.max_attendees_keeps_the_room,
        shows_private=workspace.answers.readers_see_private_details,
    )


def _chosen(calendar: Calendar, role: Role, wanted: Wanted) -> list[Event]:
    """The events of all pages, in their order."""
    listed = calendar.within if wanted.single else calendar.recurring
    found = [
        event
        for event in listed(wanted.since, wanted.until)
        if (event.status != "cancelled" or wanted.deleted or (event.series and not wanted.single))
        and (role is not Role.FREE_BUSY_READER or event.makes_busy(calendar.id))
        and (not wanted.types or event.event_type in wanted.types)
        and wanted.uid in (None, event.uid)
        and wanted.text in (event.summary or "").lower()
    ]
    if wanted.order == "startTime":
        zone = calendar.time_zone
        found.sort(key=lambda event: (moment_of(event.start, zone), event.id))
    elif wanted.order == "updated":
        found.sort(key=lambda event: (event.updated, event.id))
    return found


def _wanted(call: ApiCall, calendar: Calendar, most_on_a_page: int) -> Wanted:
    known_only(call, *PARAMETERS)
    _check_sync_token(call)
    since, until = (moment(call, name) for name in ("timeMin", "timeMax"))
    if since is not None and until is not None and until <= since:
        raise invalid("timeMax", "The specified time range is empty.", "timeRangeEmpty")
    single, order = flag(call, "singleEvents"), call.query.get("orderBy", "")
    if order not in ORDERS:
        raise invalid("orderBy", f"Invalid value '{order}'.")
    if order == "startTime" and not single:
        message = "The requested ordering is not available for the particular query."
        raise invalid("orderBy", message, "badRequest")
    return Wanted(
        since=since,
        until=until,
        zone=zone_of(call.query.get("timeZone", calendar.zone)),
        most=min(number(call, "maxResults", DEFAULT_RESULTS), MOST_RESULTS, most_on_a_page),
        offset=offset_of(call.query.get("pageToken")),
        single=single,
        deleted=flag(call, "showDeleted"),
        order=order,
        types=frozenset(call.all("eventTypes")),
        uid=call.query.get("iCalUID"),
        text=call.query.get("q", "").lower(),
    )


def _check_sync_token(call: ApiCall) -> None:
    """No change is remembered, so that a synchronisation always has to begin from the start."""
    if "syncToken" not in call.query:
        return
    for name in NOT_WITH_SYNC_TOKEN:
        if name in call.query:
            raise invalid(name, f"Sync token cannot be used with {name}.", "badRequest")
    message = "Sync token is no longer valid, a full sync is required."
    raise ApiError(
        HTTPStatus.GONE,
        "fullSyncRequired",
        message,
        domain="calendar",
        location=("parameter", "syncToken"),
    )
