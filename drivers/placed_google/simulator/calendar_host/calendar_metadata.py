"""Calendars themselves: what they are, which somebody subscribed to, and with whom they are shared."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.api_messages import NO_PAGE, ApiError, invalid, not_found
from placed_google.simulator.calendar_host.calendar_access import (
    READ_ACL,
    READ_CALENDAR_LIST,
    READ_CALENDARS,
    WRITE_ACL,
    readable,
    require,
    with_role,
)
from placed_google.simulator.calendar_host.query_parameters import known_only
from placed_google.simulator.workspace.calendar_model import Calendar, Kind
from placed_google.simulator.workspace.calendar_sharing import AclRule, Role, ScopeType

if TYPE_CHECKING:
    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import Reply

Json = dict[str, object]


class Scope(msgspec.Struct, frozen=True):
    """Who a rule is for."""

    type: ScopeType
    value: str = ""


class NewRule(msgspec.Struct, frozen=True):
    """A rule to add."""

    role: str
    scope: Scope


def answer(workspace: Workspace, call: ApiCall) -> Reply:
    """The answer to a call for calendars."""
    match call.method, call.parts[2:]:
        case "GET", ("calendars", calendar_id):
            return get_calendar(workspace, call, calendar_id)
        case "GET", ("users", "me", "calendarList"):
            return calendar_list(call)
        case "GET" | "POST", ("calendars", calendar_id, "acl"):
            return rules(workspace, call, calendar_id)
        case "DELETE", ("calendars", calendar_id, "acl", rule_id):
            return rules(workspace, call, calendar_id, rule_id)
        case _:
            return NO_PAGE


def get_calendar(workspace: Workspace, call: ApiCall, calendar_id: str) -> Reply:
    """`GET /calendars/{calendarId}`."""
    require(call, READ_CALENDARS)
    known_only(call)
    calendar, _ = readable(workspace, call, calendar_id)
    return call.json(_metadata(calendar))


def calendar_list(call: ApiCall) -> Reply:
    """`GET /users/me/calendarList`: empty, since a service account subscribes to nothing by itself."""
    require(call, READ_CALENDAR_LIST)
    return call.json({"kind": "calendar#calendarList", "etag": '"p0"', "nextSyncToken": "list", "items": []})


def rules(workspace: Workspace, call: ApiCall, calendar_id: str, rule_id: str | None = None) -> Reply:
    """`/calendars/{calendarId}/acl` for an owner."""
    require(call, READ_ACL if call.method == "GET" else WRITE_ACL)
    calendar = with_role(workspace, call, calendar_id, Role.OWNER)
    if call.method == "GET":
        items = [_rule(rule) for rule in calendar.rules]
        return call.json({"kind": "calendar#acl", "etag": f'"p{calendar.version}"', "items": items})
    if call.method == "POST":
        new = _new_rule(call)
        workspace.share(calendar.id, new.value, new.role, scope=new.scope)
        return call.json(_rule(new))
    kept = [rule for rule in calendar.rules if rule.id != rule_id]
    if len(kept) == len(calendar.rules):
        raise not_found()
    calendar.rules = kept
    return call.empty()


def _new_rule(call: ApiCall) -> AclRule:
    try:
        new = msgspec.json.decode(call.body, type=NewRule)
    except msgspec.DecodeError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, "parseError", f"Parse Error: {error}") from None
    try:
        role = Role.named(new.role)
    except ValueError:
        raise invalid("role", f"Invalid value for: role {new.role}", "invalid") from None
    return AclRule(new.scope.type, new.scope.value.lower(), role)


def _metadata(calendar: Calendar) -> Json:
    answers = {"autoAcceptInvitations": calendar.auto_accept} if calendar.kind is Kind.RESOURCE else {}
    return {
        "kind": "calendar#calendar",
        "etag": f'"p{calendar.version:015d}"',
        "id": calendar.id,
        "summary": calendar.name,
        "timeZone": calendar.zone,
        **answers,
    }


def _rule(rule: AclRule) -> Json:
    scope = {"type": rule.scope} if not rule.value else {"type": rule.scope, "value": rule.value}
    return {"kind": "calendar#aclRule", "etag": '"0"', "id": rule.id, "scope": scope, "role": rule.role.wire}
