"""The application permissions: which ones are needed, what they allow, and which ones are excessive.

Sources: Microsoft Graph permissions reference, and microsoft-graph-devx-content (the ids of the app roles);
"Limit mailbox access" (which of them an application access policy limits); "Role Based Access Control for
Applications in Exchange Online" (where the calendar permission is not granted in Entra at all).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from placed.driver import Consent, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.driver import Failed
    from placed_microsoft365.auth.token_claims import Claims
    from placed_microsoft365.settings import Microsoft365Settings

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"  # Microsoft Graph, in every tenant and cloud
CALENDARS_READ = "Calendars.Read"
CALENDARS_WRITE = "Calendars.ReadWrite"  # for the registration of actions alone
GROUP_MEMBERS = "GroupMember.Read.All"
PLACES = "Place.Read.All"
RBAC = "rbac"


class AppRole(msgspec.Struct, frozen=True):
    """An application permission of Microsoft Graph."""

    id: str
    permission: Permission


APP_ROLES = {
    role.permission.name: role
    for role in (
        AppRole(
            "798ee544-9d2d-430c-a058-570e29e34338",
            Permission(
                CALENDARS_READ,
                "reads calendars: those of the room mailboxes, to which the fence limits it",
                "write, book, move or cancel anything; read mail, contacts or files; read a mailbox outside "
                "of the fence",
            ),
        ),
        AppRole(
            "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
            Permission(
                CALENDARS_WRITE,
                "reads and changes calendars: those of the room mailboxes, to which the fence limits it",
                "read or send other mail; read contacts or files; read or change a mailbox outside of the "
                "fence. A room that declines or cancels a meeting sends a message about that",
            ),
        ),
        AppRole(
            "98830695-27a2-44f7-8c18-0c3ebc9698f6",
            Permission(
                GROUP_MEMBERS,
                "reads who is a member of which group, by which the rooms are found",
                "change a group; read mail, or a group's conversations and files. "
                "It is not limited to the group of rooms",
            ),
        ),
        AppRole(
            "913b9306-0ce1-42b8-9137-6a7df690a760",
            Permission(
                PLACES,
                "reads the list of rooms with building, floor and capacity",
                "change a room; read its calendar",
            ),
        ),
    )
}

# Every permission that some configuration of placed may have asked for, and lesser ones. Calendars.ReadBasic
# is missing: it reads calendars, and an access policy does not limit it.
_FITTING = frozenset(
    {
        CALENDARS_READ,
        GROUP_MEMBERS,
        PLACES,
        "GroupMember.ReadBasic.All",
        "Member.Read.Hidden",
        "User.ReadBasic.All",
    }
)
# The registration of actions finds no rooms; reading calendars is part of Calendars.ReadWrite.
_FITTING_ACTIONS = frozenset({CALENDARS_WRITE, CALENDARS_READ})


def of_directory(settings: Microsoft365Settings) -> tuple[str, ...]:
    """Returns the permissions for finding the rooms; none if the rooms are listed by their addresses."""
    if settings.room_group is not None:
        return (GROUP_MEMBERS,)
    if settings.room_list is not None:
        return (PLACES,)
    return ()


def to_consent(settings: Microsoft365Settings) -> tuple[str, ...]:
    """Returns the permissions that the administrator grants in Entra.

    The calendar permission is not among them if the fence is RBAC for Applications: there Exchange grants
    it, limited to its scope, and a grant in Entra would cancel the scope.
    """
    calendars = () if settings.fence.kind == RBAC else (CALENDARS_READ,)
    return (*calendars, *of_directory(settings))


def to_consent_for_actions(settings: Microsoft365Settings) -> tuple[str, ...]:
    """Returns the permissions of the registration of actions that the administrator grants in Entra."""
    return () if settings.fence.kind == RBAC else (CALENDARS_WRITE,)


def excess(roles: Iterable[str], wanted: str = CALENDARS_READ) -> tuple[str, ...]:
    """Returns the roles that exceed everything placed may ask for, sorted.

    Args:
        roles: those of the token.
        wanted: what the registration is for: CALENDARS_READ, or CALENDARS_WRITE for that of actions.
    """
    return tuple(sorted(set(roles) - (_FITTING_ACTIONS if wanted == CALENDARS_WRITE else _FITTING)))


def may_read_calendars(claims: Claims | None) -> bool:
    """Returns whether a token lists a permission on calendars."""
    return claims is not None and any(role.startswith("Calendars.") for role in claims.roles)


_NO_CONSENT = (
    f"the administrator has not consented to {CALENDARS_READ}: run placed consent; it takes minutes to take "
    "effect"
)


_NOT_IN_SCOPE = (
    "Exchange does not let the application read this mailbox: is it in the fence's group, and was the RBAC "
    "script of placed setup run? Either takes up to two hours to take effect"
)


def explain_forbidden(claims: Claims | None, failure: Failed, fence_kind: str) -> Failed:
    """Returns a forbidden room's failure with what the token shows about consent.

    Under RBAC for Applications the token does not list the calendar permission, so it shows nothing.
    """
    if fence_kind == RBAC:
        return replace(failure, problem=dataclasses.replace(failure.problem, remedy=_NOT_IN_SCOPE))
    if claims is None:
        return failure
    if may_read_calendars(claims):
        return replace(failure, consent=Consent.GRANTED)
    problem = dataclasses.replace(failure.problem, remedy=_NO_CONSENT, lasting=True)
    return replace(failure, consent=Consent.MISSING, problem=problem)
