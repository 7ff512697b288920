"""Checks the token's claims: its tenant and application, and its permissions against the required ones. Pure.

It is for diagnosis only: under RBAC for Applications the calendar permission is not among the roles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.driver import Finding, Verdict
from placed_microsoft365.auth.application_permissions import (
    CALENDARS_READ,
    GROUP_MEMBERS,
    PLACES,
    RBAC,
    excess,
    to_consent,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed_microsoft365.auth.token_claims import Claims
    from placed_microsoft365.settings import Microsoft365Settings

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Permissions that suffice as well: narrower ones, or wider ones, which are reported as excess.
_AS_GOOD = {
    CALENDARS_READ: frozenset({"Calendars.ReadWrite"}),
    GROUP_MEMBERS: frozenset(
        {"GroupMember.ReadBasic.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Directory.Read.All"}
    ),
    PLACES: frozenset({"Place.ReadWrite.All"}),
}


def judge_claims(
    settings: Microsoft365Settings, claims: Claims | None, tenant_id: str | None
) -> list[Finding]:
    """Returns the findings `claims`, the most severe first.

    Args:
        settings: the settings, which define what is required.
        claims: the claims of the token; None if it cannot be read.
        tenant_id: the GUID of the settings' tenant, if the login host reported it.
    """
    if claims is None:
        return [
            Finding.of(
                "claims",
                Verdict.GOOD,
                "the token is opaque, which is allowed; permissions are checked by reading calendars",
            )
        ]
    found = [
        *_foreign_token(settings, claims, tenant_id),
        *_missing(settings, claims),
        *_too_much(settings, claims),
    ]
    if found:
        return found
    means = {True: ", proven by a certificate", False: ", proven by a secret", None: ""}[
        claims.by_certificate
    ]
    return [Finding.of("claims", Verdict.GOOD, f"the token lists {_listed(claims.roles)}{means}")]


def _foreign_token(settings: Microsoft365Settings, claims: Claims, tenant_id: str | None) -> list[Finding]:
    """Returns findings if the token is of another tenant or application, as some gateways cause."""
    found = []
    ours = settings.tenant.lower() if _GUID.fullmatch(settings.tenant) else tenant_id
    if ours is not None and claims.tenant is not None and claims.tenant.lower() != ours:
        text = f"the token is of the tenant {claims.tenant}, and {settings.tenant} is {ours}"
        found.append(Finding.of("claims", Verdict.BAD, text, "correct tenant in the settings, or authority"))
    if claims.application is not None and claims.application.lower() != settings.client_id.lower():
        text = f"the token is of the application {claims.application}"
        found.append(
            Finding.of("claims", Verdict.BAD, text, "correct client_id in the settings, or authority")
        )
    return found


def _missing(settings: Microsoft365Settings, claims: Claims) -> list[Finding]:
    roles = set(claims.roles)
    missing = [name for name in to_consent(settings) if not roles & {name, *_AS_GOOD[name]}]
    if not missing:
        return []
    text = f"not granted: {', '.join(missing)}"
    remedy = f"have the administrator consent: placed consent {settings.name}"
    if missing == [CALENDARS_READ]:
        remedy += '; or, if RBAC for Applications grants it, set fence.kind = "rbac"'
    return [Finding.of("claims", Verdict.BAD, text, remedy)]


def _too_much(settings: Microsoft365Settings, claims: Claims) -> list[Finding]:
    found = []
    too_much = excess(claims.roles)
    if too_much:
        text = f"more than placed asks for is granted: {', '.join(too_much)}"
        remedy = "have the administrator remove these permissions from the enterprise application in Entra"
        found.append(Finding.of("claims", Verdict.DOUBTFUL, text, remedy))
    if settings.fence.kind == RBAC and CALENDARS_READ in claims.roles:
        text = f"{CALENDARS_READ} is granted in Entra as well, which cancels the scope of RBAC"
        remedy = (
            f"have the administrator remove {CALENDARS_READ} from the enterprise application in "
            f"Entra; the script for it is in the folder that placed setup {settings.name} writes"
        )
        found.append(Finding.of("claims", Verdict.DOUBTFUL, text, remedy))
    return found


def _listed(roles: Iterable[str]) -> str:
    return ", ".join(sorted(roles)) or "no role, as is right under RBAC for Applications"
