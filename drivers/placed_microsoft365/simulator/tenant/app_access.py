"""App registrations, what was granted to them, and the fences around their mailbox access.

Two systems grant the reading of calendars, and their grants add up (Microsoft: RBAC for Applications, FAQ):
an app role consented in Entra, which only an application access policy limits, and an assignment in Exchange,
which only its own scope limits and which the token's `roles` do not show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal

from placed_microsoft365.simulator.tenant.groups import Group, covers

if TYPE_CHECKING:
    from placed_microsoft365.simulator.tenant.app_credentials import RegisteredCertificate, Secret

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

CalendarsRole = Literal["Application Calendars.Read", "Application Calendars.ReadWrite"]
READ: CalendarsRole = "Application Calendars.Read"
READ_WRITE: CalendarsRole = "Application Calendars.ReadWrite"
WRITING_ROLE = "Calendars.ReadWrite"
CALENDAR_ROLES = frozenset(
    {"Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic", "Calendars.ReadBasic.All"}
)
UNFENCED_ROLES = frozenset({"Calendars.ReadBasic", "Calendars.ReadBasic.All"})
"""Not on the list of permissions that an access policy constrains (Microsoft: auth-limit-mailbox-access)."""
GROUP_ROLES = frozenset(
    {"GroupMember.Read.All", "GroupMember.ReadBasic.All", "Group.Read.All", "Directory.Read.All"}
)
USER_ROLES = frozenset({"User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All"})
PLACE_ROLES = frozenset({"Place.Read.All", "Place.ReadWrite.All"})


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """An application access policy: the rights of one app on the mailboxes of one group."""

    right: Literal["RestrictAccess", "DenyAccess"]
    group: str
    effective: datetime


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """An application role of calendars assigned in Exchange, with a group as its scope."""

    group: str
    effective: datetime
    role: CalendarsRole = READ


@dataclass(slots=True, kw_only=True)
class App:
    """An app registration and its enterprise application in this tenant.

    Attributes:
        roles: app roles consented in Entra; what a new token lists.
        requested: app roles that the manifest asks for; the admin consent page grants these.
        redirect_uris: where the consent page may send a browser; None is anywhere, which no real app has.
        disabled: the login refuses with AADSTS7000112.
    """

    client_id: str
    object_id: str
    name: str
    secrets: list[Secret] = field(default_factory=list)
    certificates: list[RegisteredCertificate] = field(default_factory=list)
    roles: dict[str, datetime] = field(default_factory=dict)
    requested: set[str] = field(default_factory=set)
    policies: list[AccessPolicy] = field(default_factory=list)
    assignments: list[RoleAssignment] = field(default_factory=list)
    redirect_uris: frozenset[str] | None = None
    disabled: bool = False

    def granted(self, at: datetime) -> list[str]:
        """The app roles whose consent has taken effect, sorted."""
        return sorted(role for role, effective in self.roles.items() if effective <= at)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the app, and the roles that its token carries and that are still granted."""

    app: App
    roles: frozenset[str]


class Verdict(Enum):
    """Whether a calendar may be read, or why not."""

    GRANTED = auto()
    NO_PERMISSION = auto()
    BLOCKED_BY_POLICY = auto()


def may_read_calendar(caller: Caller, address: str, groups: dict[str, Group], at: datetime) -> Verdict:
    """Whether the caller may read the calendar of the mailbox at the moment."""
    app = caller.app
    for assignment in app.assignments:
        if assignment.effective <= at and covers(groups, assignment.group, address, at, nested=False):
            return Verdict.GRANTED
    held = caller.roles & CALENDAR_ROLES
    if not held:
        return Verdict.NO_PERMISSION
    if held & UNFENCED_ROLES or _policies_allow(app, address, groups, at):
        return Verdict.GRANTED
    return Verdict.BLOCKED_BY_POLICY


def may_write_calendar(caller: Caller, address: str, groups: dict[str, Group], at: datetime) -> Verdict:
    """Whether the caller may change the calendar of the mailbox at the moment."""
    app = caller.app
    for assignment in app.assignments:
        if (
            assignment.role == READ_WRITE
            and assignment.effective <= at
            and covers(groups, assignment.group, address, at, nested=False)
        ):
            return Verdict.GRANTED
    if WRITING_ROLE not in caller.roles:
        return Verdict.NO_PERMISSION
    return Verdict.GRANTED if _policies_allow(app, address, groups, at) else Verdict.BLOCKED_BY_POLICY


def _policies_allow(app: App, address: str, groups: dict[str, Group], at: datetime) -> bool:
    """Deny has precedence; then any matching restriction grants; then any other restriction denies."""
    policies = [policy for policy in app.policies if policy.effective <= at]
    if not policies:
        return True
    matching = {policy.right for policy in policies if covers(groups, policy.group, address, at, nested=True)}
    if "DenyAccess" in matching:
        return False
    restricted = any(policy.right == "RestrictAccess" for policy in policies)
    return not restricted or "RestrictAccess" in matching
