"""The registration as Entra keeps it: what it is called, and what it asks for.

Source: Microsoft Graph, resource type `application`. Of redirect addresses on localhost Entra ignores the
port ("Redirect URI restrictions and limitations"), so one without a port serves whatever is listened on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placed_microsoft365.auth.application_permissions import APP_ROLES, GRAPH_APP_ID, to_consent

if TYPE_CHECKING:
    from placed_microsoft365.settings import Microsoft365Settings

REDIRECT_URI = "http://localhost"


def application_name(connection: str) -> str:
    """What the registration is called in Entra."""
    return f"placed-{connection}"


def required_resource_access(settings: Microsoft365Settings) -> list[dict[str, Any]]:
    """The application permissions that the consent page asks for; none where Exchange grants all."""
    roles = [{"id": APP_ROLES[name].id, "type": "Role"} for name in to_consent(settings)]
    return [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": roles}] if roles else []


def manifest(settings: Microsoft365Settings) -> dict[str, Any]:
    """The body with which Graph makes the registration."""
    return {
        "displayName": application_name(settings.name),
        "signInAudience": "AzureADMyOrg",
        "web": {"redirectUris": [REDIRECT_URI]},
        "requiredResourceAccess": required_resource_access(settings),
    }
