"""With whom calendars are shared, and what outsiders may see at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from placed_google.simulator.workspace.calendar_model import Kind
from placed_google.simulator.workspace.calendar_sharing import Role, ScopeType

if TYPE_CHECKING:
    from placed_google.simulator.control.console_call import Call
    from placed_google.simulator.workspace.workspace import Workspace

EVERY_ROOM = "*"


class NewRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"whom": "with"}):
    """A rule to add, in place of the one for the same."""

    role: str
    whom: str = ""
    scope: ScopeType = "user"


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What outsiders may do at most."""

    role: str
    kinds: tuple[Literal["primary", "secondary"], ...] = ("primary", "secondary")


def calendars(call: Call) -> object:
    """What is asked of a calendar's rules."""
    workspace = call.tenant
    match call.key():
        case ("GET", name, "rules"):
            pass
        case ("POST", name, "rules"):
            new = call.read(NewRule)
            for address in _addresses(workspace, name):
                workspace.share(address, new.whom, Role.named(new.role), scope=new.scope)
        case ("DELETE", name, "rules", whom):
            for address in _addresses(workspace, name):
                workspace.unshare(address, whom)
        case _:
            raise call.unknown
    return {
        address: [
            {"scope": rule.scope, "with": rule.value, "role": rule.role.wire}
            for rule in workspace.calendar(address).rules
        ]
        for address in _addresses(workspace, name)
    }


def external_sharing(call: Call) -> object:
    """What is asked of the limit for outsiders."""
    workspace = call.tenant
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            limit = call.read(Limit)
            workspace.limit_external_sharing(Role.named(limit.role), *(Kind(kind) for kind in limit.kinds))
        case _:
            raise call.unknown
    return {kind.value: role.wire for kind, role in workspace.external_limits.items()}


def _addresses(workspace: Workspace, name: str) -> list[str]:
    if name == EVERY_ROOM:
        return [room.address for room in workspace.rooms()]
    return [workspace.calendar(name).id]
