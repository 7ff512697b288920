"""The manifest of the app registration: its name and its required permissions.

Source: Microsoft Graph, resource type `application`. Entra ignores the port of redirect URIs on localhost
("Redirect URI restrictions and limitations"), so one without a port serves any listener.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placed_microsoft365.auth.application_permissions import APP_ROLES, GRAPH_APP_ID

if TYPE_CHECKING:
    from placed_microsoft365.setup_kit.questionnaire import Answers

REDIRECT_URI = "http://localhost"


def application_name(answers: Answers) -> str:
    """Returns the name of the registration in Entra."""
    return f"placed-{answers.registration}"


def required_resource_access(answers: Answers) -> list[dict[str, Any]]:
    """Returns the permissions on the consent page; none if Exchange grants them all."""
    roles = [{"id": APP_ROLES[name].id, "type": "Role"} for name in answers.permissions]
    return [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": roles}] if roles else []


def manifest(answers: Answers) -> dict[str, Any]:
    """Returns the body of the request that creates the registration in Graph."""
    return {
        "displayName": application_name(answers),
        "signInAudience": "AzureADMyOrg",
        "web": {"redirectUris": [REDIRECT_URI]},
        "requiredResourceAccess": required_resource_access(answers),
    }
