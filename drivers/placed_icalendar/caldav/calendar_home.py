"""Finds the home with the calendars: `url` itself, or by way of the principal (RFC 6764, 5397, 4791)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placed.driver import DriverError, Refused, Throttled, Unavailable, UnexpectedAnswer
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.calendar_listing import is_calendar, is_room
from placed_icalendar.caldav.dav_requests import LISTING, PRINCIPAL, WHO
from placed_icalendar.caldav.hrefs import collection, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed_icalendar.caldav.dav_client import DavClient
    from placed_icalendar.caldav.multistatus import DavResponse

WELL_KNOWN = "/.well-known/caldav"
_SET_URL = "set url to the address of the calendar home, as the server's documentation names it for CalDAV"


class CalendarHome(NamedTuple):
    """Where the calendars are.

    Attributes:
        paths: of the homes; a principal may have several.
        depth: `1`, or `0` if the settings name a single calendar.
        principal: path of the account's principal, if it was asked for.
    """

    paths: tuple[str, ...]
    depth: str = "1"
    principal: str | None = None


class DiscoveryStep(NamedTuple):
    """A step that was done, for the doctor: what was asked and what came of it."""

    asked: str
    result: str


def _ignore(_step: DiscoveryStep) -> None:
    """Does nothing."""


async def find_home(client: DavClient, report: Callable[[DiscoveryStep], None] = _ignore) -> CalendarHome:
    """Finds the home.

    Args:
        client: asks the server.
        report: is called after each step.

    Raises:
        DriverError: there is none; its problem names the step that failed.
    """
    principal, failure = None, None
    if key_of(client.path) != "/":
        try:
            reply = await client.ask("PROPFIND", client.path, LISTING, depth="1")
            found = await client.multistatus(reply)
        except (Refused, Unavailable, Throttled):
            raise
        except DriverError as error:
            report(DiscoveryStep(client.path, str(error)))
            failure = error
        else:
            home = _home_of(found, reply.path)
            if home is not None:
                report(DiscoveryStep(client.path, "it is the home"))
                return home
            report(DiscoveryStep(client.path, "no calendar is in it"))
            principal = _principal_in(found, client)
            if principal is None:
                return CalendarHome((collection(reply.path),))
    if principal is None:
        principal = await _find_principal(client, report, failure)
    return await _home_of_principal(client, principal, report)


def _home_of(found: Sequence[DavResponse], path: str) -> CalendarHome | None:
    """Returns the home if the address is one, or is a calendar."""
    own = [one for one in found if one.key == key_of(path)]
    if any(is_calendar(one) for one in own):
        return CalendarHome((path,), depth="0")
    if any(is_room(one) for one in found):
        return CalendarHome((collection(path),))
    return None


def _principal_in(found: Sequence[DavResponse], client: DavClient) -> str | None:
    """Returns the principal that the first response names."""
    for one in found:
        for href in one.hrefs(names.CURRENT_USER_PRINCIPAL):
            return client.within_host(href, one.path)
    return None


async def _find_principal(
    client: DavClient, report: Callable[[DiscoveryStep], None], failure: DriverError | None
) -> str:
    """Asks the well-known address, and then the root.

    Raises:
        DriverError: neither names a principal; the first failure, which is about `url` if that has a path.
    """
    for path in (WELL_KNOWN, "/"):
        try:
            reply = await client.ask("PROPFIND", path, WHO)
            found = await client.multistatus(reply)
        except (Refused, Unavailable, Throttled):
            raise
        except DriverError as error:
            report(DiscoveryStep(path, str(error)))
            failure = failure or error
            continue
        moved = "" if reply.path == path else f"it leads to {reply.path}; "
        principal = _principal_in(found, client)
        if principal is not None:
            report(DiscoveryStep(path, f"{moved}the principal is {principal}"))
            return principal
        report(DiscoveryStep(path, f"{moved}no principal is named"))
    raise failure or UnexpectedAnswer("the server names no principal of this account", remedy=_SET_URL)


async def _home_of_principal(
    client: DavClient, principal: str, report: Callable[[DiscoveryStep], None]
) -> CalendarHome:
    found = await client.propfind(principal, PRINCIPAL)
    homes = [
        collection(client.within_host(href, one.path))
        for one in found
        for href in one.hrefs(names.CALENDAR_HOMES)
    ]
    if not homes:
        report(DiscoveryStep(principal, "no calendar home is named"))
        raise UnexpectedAnswer("the principal has no calendar home", remedy=_SET_URL)
    report(DiscoveryStep(principal, f"the home is {' and '.join(homes)}"))
    return CalendarHome(tuple(dict.fromkeys(homes)), principal=principal)
