"""What the administrator grants, where, and how long it takes.

Sources: Google, "Share room and resource calendars" (support.google.com/a/answer/1034381), "Control API
access with domain-wide delegation" (…/162106: up to 24 hours, as a rule sooner).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import Propagation, SettingsError
from placed_google.auth.key_file import ServiceAccountKey
from placed_google.auth.scopes import EVENTS, FREE_BUSY, RESOURCES
from placed_google.auth.token_errors import DELEGATION_PAGE
from placed_google.client_factory import load_credential

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_google.auth.external_account import ExternalAccount
    from placed_google.settings import GoogleSettings

_DAY = 86_400.0  # seconds
PROPAGATION = Propagation(
    normal="A share is in effect after some minutes, domain-wide delegation after minutes or up to a day.",
    every=30.0,
    at_most=_DAY,
)
_LIST_OF_ROOMS = (
    " The list of rooms needs an admin role with Services > Calendar > Buildings and resources > Read, "
    "assigned to {}."
)


def scopes_of(settings: GoogleSettings) -> Sequence[str]:
    """Returns the scopes of the tokens that are asked for, which delegation has to grant."""
    return (EVENTS, FREE_BUSY, *([RESOURCES] if settings.customer is not None else []))


def credential_of(settings: GoogleSettings) -> ServiceAccountKey | ExternalAccount | None:
    """Returns the credential, which names the service account; None if it cannot be read here."""
    try:
        return load_credential(settings)
    except SettingsError:
        return None


def client_id_of(credential: ServiceAccountKey | ExternalAccount | None) -> str:
    """Returns the account's number, to which delegation is granted; empty if it is not known."""
    return credential.client_id if isinstance(credential, ServiceAccountKey) else ""


def granted_elsewhere(settings: GoogleSettings) -> str:
    """Describes the grants, all of which are made in Google's consoles."""
    credential = credential_of(settings)
    account = credential.email if credential is not None else "the service account"
    if settings.subject is not None:
        number = client_id_of(credential) or "of the service account"
        text = (
            f"A super administrator adds the client id {number} in the Admin console at {DELEGATION_PAGE}, "
            f"with the scopes {','.join(scopes_of(settings))}."
        )
        role = "the user whom subject names"
    else:
        text = (
            f"An administrator of Calendar shares the calendar of each room with {account}, as "
            '"See all event details".'
        )
        role = account
    return (
        text
        + (_LIST_OF_ROOMS.format(role) if settings.customer is not None else "")
        + (f" The folder that `placed setup {settings.name}` writes has the scripts and the clicks.")
    )


def console_of(settings: GoogleSettings) -> str:
    """Returns the address of the console in which the grant is made."""
    if settings.subject is not None:
        return "https://admin.google.com/ac/owl/domainwidedelegation"
    return "https://calendar.google.com/calendar/r/settings/browseresources"
