"""The steps by which an administrator takes back what the service account may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_google.auth.token_errors import DELEGATION_PAGE
from placed_google.consent.grant import client_id_of, credential_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placed_google.settings import GoogleSettings


def revocation(settings: GoogleSettings) -> Sequence[str]:
    """See `placed.driver.ConsentFlow.revocation`."""
    return tuple(_steps(settings))


def _steps(settings: GoogleSettings) -> Iterator[str]:
    credential = credential_of(settings)
    account = credential.email if credential is not None else "the service account"
    project = credential.project if credential is not None and credential.project else "PROJECT"
    client_id = client_id_of(credential)
    if settings.subject is None:
        yield (
            "The calendars: run unshareRooms of share-rooms.gs, or share-rooms-gam.sh --undo, in the folder "
            "that `placed setup` writes. Or by hand, in Google Calendar: the room's Settings and sharing > "
            f"Shared with > {account} > remove."
        )
    number = f"the client id {client_id}" if client_id else "its client id"
    yield (
        f"Domain-wide delegation, if it was granted: in the Admin console {DELEGATION_PAGE} > the row of "
        f"{number} > Delete. It may take a day until the last token is refused."
    )
    if settings.customer is not None:
        yield (
            "The list of rooms: in the Admin console Account > Admin roles > the role with Buildings and "
            "resources > Admins > unassign "
            f"{account if settings.subject is None else 'the user whom subject names'}."
        )
    yield (
        "The service account with all of its keys: run undo-project.sh of that folder. Or by hand: gcloud "
        f"iam service-accounts delete {account if credential is not None else 'ADDRESS'} --project={project}"
    )
    yield "Tokens that were issued before stay good for up to an hour. Then delete the key file."
