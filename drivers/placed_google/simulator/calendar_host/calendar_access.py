"""Which scopes a method takes, and which role on a calendar."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import ApiError, insufficient_scope, not_found
from placed_google.simulator.workspace.calendar_sharing import Role

if TYPE_CHECKING:
    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.calendar_model import Calendar
    from placed_google.simulator.workspace.workspace import Workspace


def _scopes(*names: str) -> frozenset[str]:
    return frozenset(f"https://www.googleapis.com/auth/{name}" for name in names)


EVENTS_FREE_BUSY = _scopes("calendar.events.freebusy")
WRITE_EVENTS = _scopes("calendar", "calendar.events", "calendar.events.owned", "calendar.app.created")
READ_EVENTS = (
    WRITE_EVENTS
    | EVENTS_FREE_BUSY
    | _scopes(
        "calendar.readonly",
        "calendar.events.readonly",
        "calendar.events.owned.readonly",
        "calendar.events.public.readonly",
    )
)
QUERY_FREE_BUSY = EVENTS_FREE_BUSY | _scopes("calendar", "calendar.readonly", "calendar.freebusy")
READ_CALENDARS = _scopes(
    "calendar",
    "calendar.readonly",
    "calendar.calendars",
    "calendar.calendars.readonly",
    "calendar.app.created",
)
READ_CALENDAR_LIST = _scopes(
    "calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"
)
READ_ACL = _scopes("calendar", "calendar.acls", "calendar.acls.readonly")
WRITE_ACL = _scopes("calendar", "calendar.acls")


def require(call: ApiCall, scopes: frozenset[str]) -> None:
    """The token has to be good for one of them, or 403."""
    if not call.caller.has(scopes):
        raise insufficient_scope()


def readable(workspace: Workspace, call: ApiCall, calendar_id: str) -> tuple[Calendar, Role]:
    """The calendar, and the caller's role on it; 404 if it is not shared, as if it did not exist."""
    identity = call.caller.identity
    calendar = workspace.calendars.get(identity if calendar_id == "primary" else calendar_id.lower())
    role = Role.NONE if calendar is None else workspace.role_of(identity, calendar)
    if calendar is None or role is Role.NONE:
        raise not_found()
    if calendar.deleted:
        raise ApiError(HTTPStatus.GONE, "deleted", "Resource has been deleted")
    return calendar, role


def with_role(workspace: Workspace, call: ApiCall, calendar_id: str, least: Role) -> Calendar:
    """The calendar, if the caller has at least that role on it; otherwise 403, or 404."""
    calendar, role = readable(workspace, call, calendar_id)
    if role < least:
        message = f"You need to have {least.wire} access to this calendar."
        raise ApiError(HTTPStatus.FORBIDDEN, "requiredAccessLevel", message, domain="calendar")
    return calendar


def role_for_events(workspace: Workspace, call: ApiCall, role: Role) -> Role:
    """The role, as far as the scope lets it through."""
    only_free_busy = not call.caller.has(READ_EVENTS - EVENTS_FREE_BUSY)
    if only_free_busy and workspace.answers.free_busy_scope_strips:
        return min(role, Role.FREE_BUSY_READER)
    return role
