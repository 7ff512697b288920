"""The consent request: which permissions, the URL of the consent page, and how long a grant takes.

Sources: Microsoft, "Admin consent on the Microsoft identity platform" (the page and its parameters; only
`.default` covers application permissions); "Limit mailbox access" (an access policy can take more than an
hour); "Role Based Access Control for Applications in Exchange Online" (a cache of 30 minutes for an idle
application, and of up to 2 hours for one that sends requests).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from placed.driver import Permission, Propagation
from placed_microsoft365.auth.application_permissions import APP_ROLES, RBAC, to_consent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.settings import Microsoft365Settings

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
_BY_POLICY = Propagation(
    normal="A consent is in the next token within minutes. An application access policy may take more than "
    "an hour to be in effect, and so may a new member of its group.",
    every=2 * _MINUTE,
    at_most=3 * _HOUR,
)
# A little more than the half hour after which Exchange refreshes the grants of an idle application.
_BY_RBAC = Propagation(
    normal="RBAC for Applications takes 30 minutes to 2 hours to be in effect, and longest for an "
    "application that keeps asking; so this asks seldom. If the daemon runs meanwhile, stop it until then.",
    every=31 * _MINUTE,
    at_most=4 * _HOUR,
)


def permissions(settings: Microsoft365Settings) -> Sequence[Permission]:
    """Returns the permissions that the administrator grants in Entra."""
    return [APP_ROLES[name].permission for name in to_consent(settings)]


def granted_elsewhere(settings: Microsoft365Settings) -> str:
    """Describes the grants that are made in Exchange and not on Entra's consent page."""
    if settings.fence.kind != RBAC:
        return ""
    return (
        "The calendars are granted in Exchange, with RBAC for Applications: an Exchange administrator runs "
        "the script for it that `placed setup` writes. Calendars.Read must not be consented to in Entra as "
        "well, for that would cancel the limit to the rooms."
    )


def propagation(settings: Microsoft365Settings) -> Propagation:
    """Returns how long a grant takes to be in effect, by the kind of fence."""
    return _BY_RBAC if settings.fence.kind == RBAC else _BY_POLICY


def consent_url(settings: Microsoft365Settings, redirect_uri: str, state: str) -> str:
    """Returns the URL of the tenant-wide consent page in the connection's cloud."""
    query = {
        "client_id": settings.client_id,
        "scope": f"{settings.graph_url}/.default",
        "redirect_uri": redirect_uri,
        "state": state,
    }
    tenant = quote(settings.tenant, safe="")
    return f"{settings.login_url}/{tenant}/v2.0/adminconsent?{urlencode(query, quote_via=quote)}"
