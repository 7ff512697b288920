"""`POST /freeBusy` (Google: Freebusy: query): busy times of calendars; each may fail by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.api_messages import ApiError, invalid
from placed_google.simulator.calendar_host.event_rendering import rfc3339, timestamp
from placed_google.simulator.calendar_host.query_parameters import known_only, zone_of
from placed_google.simulator.faults.simulated_fault import Kind, Where
from placed_google.simulator.field_mask import parse_mask
from placed_google.simulator.workspace.calendar_sharing import Role
from placed_google.simulator.workspace.event_model import moment_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.calendar_model import Calendar
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import Reply

MOST_CALENDARS = 50
MOST_MEMBERS = 100
Json = dict[str, object]


class Item(msgspec.Struct, frozen=True):
    """A calendar or a group."""

    id: str


class Question(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a query."""

    time_min: datetime | None = None
    time_max: datetime | None = None
    time_zone: str = "UTC"
    items: tuple[Item, ...] = ()
    calendar_expansion_max: int = MOST_CALENDARS
    group_expansion_max: int = MOST_MEMBERS


def query(workspace: Workspace, call: ApiCall) -> Reply:
    """The busy times, 200 whatever happened to single calendars."""
    known_only(call)
    question = _question(call)
    since, until = question.time_min, question.time_max
    if since is None or until is None or since.tzinfo is None or until.tzinfo is None:
        raise invalid("timeMin", "Missing timeMin or timeMax parameter.", "required")
    if until <= since:
        raise invalid("timeMax", "The specified time range is empty.", "timeRangeEmpty")
    zone = zone_of(question.time_zone)
    groups, asked = _expanded(workspace, question)
    most = min(question.calendar_expansion_max, MOST_CALENDARS)
    calendars: Json = {name: _calendar(workspace, call, name, (since, until), zone) for name in asked[:most]}
    calendars |= {name: _failed("tooManyCalendarsRequested") for name in asked[most:]}
    document: Json = {
        "kind": "calendar#freeBusy",
        "timeMin": timestamp(since),
        "timeMax": timestamp(until),
        **({"groups": groups} if groups else {}),
        "calendars": calendars,
    }
    if "fields" in call.query:
        return call.json(parse_mask(call.query["fields"], "FreeBusyResponse").apply(document))
    return call.json(document)


def _question(call: ApiCall) -> Question:
    try:
        return msgspec.json.decode(call.body, type=Question)
    except msgspec.DecodeError as error:
        raise ApiError(400, "parseError", f"Parse Error: {error}") from None


def _expanded(workspace: Workspace, question: Question) -> tuple[Json, list[str]]:
    """The groups with their members, and all calendars, each once."""
    groups: Json = {}
    asked: dict[str, None] = {}
    for item in question.items:
        group = workspace.groups.get(item.id.lower())
        if group is None:
            asked[item.id] = None
        elif len(group.members) > min(question.group_expansion_max, MOST_MEMBERS):
            groups[item.id] = {"errors": [{"domain": "global", "reason": "groupTooBig"}]}
        else:
            members = sorted(group.members)
            groups[item.id] = {"calendars": members}
            asked |= dict.fromkeys(members)
    return groups, list(asked)


def _calendar(
    workspace: Workspace, call: ApiCall, name: str, window: tuple[datetime, datetime], zone: ZoneInfo
) -> Json:
    calendar = workspace.calendars.get(name.lower())
    failing = frozenset({Kind.STATUS})
    if calendar is not None and workspace.faults.take(failing, {Where.FREE_BUSY}, calendar.id, exact=True):
        return _failed("internalError")
    if calendar is None or calendar.deleted:
        return _failed("notFound")
    if workspace.role_of(call.caller.identity, calendar) is Role.NONE:
        return _failed("notFound")
    return {
        "busy": [
            {"start": rfc3339(start, zone), "end": rfc3339(end, zone)}
            for start, end in busy_times(calendar.as_listed(workspace.now()), *window)
        ]
    }


def busy_times(calendar: Calendar, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The times at which the calendar is busy within the window; what touches is one."""
    zone = calendar.time_zone
    times = sorted(
        (moment_of(event.start, zone), moment_of(event.end, zone))
        for event in calendar.within(since, until)
        if event.makes_busy(calendar.id)
    )
    merged: list[tuple[datetime, datetime]] = []
    for start, end in times:
        begin, finish = max(start, since.astimezone(UTC)), min(end, until.astimezone(UTC))
        if begin >= finish:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], finish)
        else:
            merged.append((begin, finish))
    return merged


def _failed(reason: str) -> Json:
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}
