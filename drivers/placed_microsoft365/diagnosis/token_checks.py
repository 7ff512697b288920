"""What the token tells: whose it is, and whether what was granted is what is needed. Pure.

It is for diagnosis only: under RBAC for Applications the permission on calendars is not among its roles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.driver import Finding, Verdict
from placed_microsoft365.auth import application_permissions as permissions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed_microsoft365.auth.token_claims import Claims
    from placed_microsoft365.settings import Microsoft365Settings

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# What does as well: less than what placed asks for, or more, which is told as excess.
_AS_GOOD = {
    permissions.CALENDARS_READ: frozenset({"Calendars.ReadWrite"}),
    permissions.GROUP_MEMBERS: frozenset(
        {"GroupMember.ReadBasic.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Directory.Read.All"}
    ),
    permissions.PLACES: frozenset({"Place.ReadWrite.All"}),
}


def judge_claims(
    settings: Microsoft365Settings, claims: Claims | None, tenant_id: str | None
) -> list[Finding]:
    """The findings `claims`, the gravest first.

    Args:
        settings: what is needed.
        claims: of the token; None if it can not be read.
        tenant_id: the GUID of the settings' tenant, if the login host told it.
    """
    if claims is None:
        return [
            Finding.of("claims", Verdict.GOOD, "the token does not tell what it is good for, nor has it to")
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
    """It is of another tenant or application, as some gateway before the login host might have it."""
    found = []
    ours = settings.tenant.lower() if _GUID.fullmatch(settings.tenant) else tenant_id
    if ours is not None and claims.tenant is not None and claims.tenant.lower() != ours:
        said = f"the token is of the tenant {claims.tenant}, and {settings.tenant} is {ours}"
        found.append(Finding.of("claims", Verdict.BAD, said, "correct tenant in the settings, or authority"))
    if claims.application is not None and claims.application.lower() != settings.client_id.lower():
        said = f"the token is of the application {claims.application}"
        found.append(
            Finding.of("claims", Verdict.BAD, said, "correct client_id in the settings, or authority")
        )
    return found


def _missing(settings: Microsoft365Settings, claims: Claims) -> list[Finding]:
    roles = set(claims.roles)
    missing = [name for name in permissions.to_consent(settings) if not roles & {name, *_AS_GOOD[name]}]
    if not missing:
        return []
    said = f"not granted: {', '.join(missing)}"
    remedy = f"have the administrator consent: placed consent {settings.name}"
    if missing == [permissions.CALENDARS_READ]:
        remedy += '; or, if RBAC for Applications grants it, set fence.kind = "rbac"'
    return [Finding.of("claims", Verdict.BAD, said, remedy)]


def _too_much(settings: Microsoft365Settings, claims: Claims) -> list[Finding]:
    found = []
    excess = permissions.excess(claims.roles)
    if excess:
        said = f"more than placed asks for is granted: {', '.join(excess)}"
        remedy = "have the administrator remove these permissions from the enterprise application in Entra"
        found.append(Finding.of("claims", Verdict.DOUBTFUL, said, remedy))
    if settings.fence.kind == permissions.RBAC and permissions.CALENDARS_READ in claims.roles:
        said = f"{permissions.CALENDARS_READ} is granted in Entra as well, which cancels the scope of RBAC"
        remedy = (
            f"have the administrator remove {permissions.CALENDARS_READ} from the enterprise application in "
            f"Entra; the script for it is in the folder that placed setup {settings.name} writes"
        )
        found.append(Finding.of("claims", Verdict.DOUBTFUL, said, remedy))
    return found


def _listed(roles: Iterable[str]) -> str:
    return ", ".join(sorted(roles)) or "no role, as is right under RBAC for Applications"
