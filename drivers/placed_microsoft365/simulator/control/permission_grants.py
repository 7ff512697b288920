"""What administrators let an app do: consent in Entra, and the fences of Exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from placed_microsoft365.simulator.control.app_registrations import app_of, state_of
from placed_microsoft365.simulator.control.control_request import Delay, length_of
from placed_microsoft365.simulator.tenant.app_access import READ, CalendarsRole

if TYPE_CHECKING:
    from placed_microsoft365.simulator.control.control_request import Call
    from placed_microsoft365.simulator.tenant.app_access import App

ASKED = frozenset({"consent", "grant", "revoke", "access-policies", "role-assignments"})


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """App roles to grant or to revoke."""

    roles: tuple[str, ...]
    delay: str | None = None


class NewPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application access policy."""

    right: Literal["RestrictAccess", "DenyAccess"]
    group: str
    delay: str | None = None


class NewAssignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role of calendars for the members of the group."""

    group: str
    delay: str | None = None
    role: CalendarsRole = READ


def answer(call: Call) -> object:
    """What is asked of one app's permissions and fences."""
    app = app_of(call.tenant, call.parts[1])
    match call.parts[2:]:
        case ("access-policies",):
            return _policies(call, app)
        case ("role-assignments",):
            return _assignments(call, app)
        case _:
            return _consent(call, app)


def _consent(call: Call, app: App) -> object:
    tenant = call.tenant
    match call.key(depth=2):
        case ("POST", "consent"):
            tenant.consent(app, delay=length_of(call.read(Delay).delay))
        case ("POST", "grant"):
            granted = call.read(Roles)
            tenant.grant(app, *granted.roles, delay=length_of(granted.delay))
        case ("POST", "revoke"):
            tenant.revoke(app, *call.read(Roles).roles)
        case _:
            raise call.unknown
    return state_of(tenant, app)


def _policies(call: Call, app: App) -> object:
    tenant = call.tenant
    match call.method:
        case "GET":
            pass
        case "POST":
            new = call.read(NewPolicy)
            add = tenant.restrict if new.right == "RestrictAccess" else tenant.deny
            add(app, new.group, delay=length_of(new.delay))
        case "DELETE":
            tenant.lift_restrictions(app)
        case _:
            raise call.unknown
    return app.policies


def _assignments(call: Call, app: App) -> object:
    tenant = call.tenant
    match call.method:
        case "GET":
            pass
        case "POST":
            new = call.read(NewAssignment)
            tenant.assign_rbac(app, new.group, role=new.role, delay=length_of(new.delay))
        case "DELETE":
            tenant.remove_rbac(app)
        case _:
            raise call.unknown
    return app.assignments
