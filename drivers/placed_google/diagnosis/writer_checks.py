"""Checks, without writing, whether the service account of actions may change the rooms' calendars."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, SettingsError, Verdict
from placed.driver.shared_findings import AGAIN
from placed_google import rooms as directory
from placed_google.api.json_structs import Events
from placed_google.api.reply import decode, is_ok
from placed_google.booking.writer import writing_clients
from placed_google.calendars.event_to_meeting import MAY_WRITE
from placed_google.client_factory import Clients
from placed_google.fence import a_minute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Surroundings
    from placed_google.settings import Actions, GoogleSettings

_CHECK = "actions"
_MOST_ROOMS = 20
_SETUP = "make the service account and its key: run `placed setup {name} --actions`"
_SHARE = (
    'share the rooms\' calendars with {account} as "Make changes to events", and allow it at External '
    "sharing options, since the service account is outside of the organisation"
)


async def look_at_writer(settings: GoogleSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Returns a finding where the account may not change a room; none without a table `actions`."""
    if settings.actions is None:
        return ()
    try:
        return await _look(settings, settings.actions, surroundings)
    except SettingsError as error:
        missing = not settings.actions.key_file.exists()
        remedy = _SETUP.format(name=settings.name) if missing else error.problem.remedy or AGAIN
        return [Finding.of(_CHECK, Verdict.BAD, error.problem.statement, remedy)]
    except DriverError as error:
        return [Finding.of(_CHECK, Verdict.BAD, str(error), error.problem.remedy or AGAIN)]


async def _look(settings: GoogleSettings, actions: Actions, surroundings: Surroundings) -> Sequence[Finding]:
    rooms = (await _rooms(settings, surroundings))[:_MOST_ROOMS]
    clients = writing_clients(settings, actions, surroundings)
    try:
        closed = [room for room in rooms if not await _may_write(clients, a_minute(room, surroundings.now()))]
    finally:
        await clients.close()
    if not closed:
        return ()
    text = f"{clients.account} may not change {len(closed)} of {len(rooms)} rooms' calendars"
    return [Finding.of(_CHECK, Verdict.BAD, text, _SHARE.format(account=clients.account))]


async def _rooms(settings: GoogleSettings, surroundings: Surroundings) -> Sequence[str]:
    if settings.rooms:
        return settings.rooms
    clients = Clients(settings, surroundings)
    try:
        return [room.mailbox for room in await directory.find_rooms(clients.directory, settings)]
    finally:
        await clients.close()


async def _may_write(clients: Clients, path: str) -> bool:
    """Returns whether a calendar is shared for changes; one that does not show the role counts as such.

    Raises:
        DriverError: it cannot be found out.
    """
    reply = await clients.events.ask("GET", path)
    if is_ok(reply):
        role = decode(reply.body, Events).access_role
        return role is None or role in MAY_WRITE
    meaning = clients.events.meaning(reply)
    if meaning.row.everywhere or reply.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        raise meaning.error
    return False
