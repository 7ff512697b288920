"""Checks the fence: canary collections must be refused while a room is readable with the same account.

Servers answer 403 or 404 for a calendar that is not shared, whether it exists or not (Radicale 3.9.0 403,
Xandikos 0.4.10 404), so the operator has to name calendars that exist.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from placed.driver import DriverError, Fence, FenceState, Problem, Unavailable, UnexpectedAnswer
from placed_icalendar.caldav.dav_errors import DENIED, GONE, connection_error
from placed_icalendar.caldav.dav_requests import KIND, calendar_query
from placed_icalendar.caldav.hrefs import key_of
from placed_icalendar.caldav.multistatus import responses_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from placed_icalendar.caldav.beyond_the_rooms import Excess
    from placed_icalendar.caldav.caldav_settings import CanaryCollections
    from placed_icalendar.caldav.dav_client import DavClient, DavReply

_ROOMS = 10  # of which one has to be readable
_REFUSED = DENIED | GONE


def flaw(text: str, remedy: str) -> Problem:
    """Returns why the fence is not proven, or what is wrong with it."""
    return Problem("", text, remedy, joint=": ")


_NOTHING_READABLE = flaw(
    "the canaries are refused, but so is every room, which proves nothing",
    "share the rooms' calendars with the account, it is tried again as soon as a room can be read",
)
_NO_PROOF = "check that it is the address of a person's calendar, or name another one in fence.canaries"
_A_PAGE = flaw(
    "a canary is answered with a page, and not by a calendar server, which proves nothing", _NO_PROOF
)
_BREACHED = "take back the shares of people's calendars with the account of this connection"


class _CanaryResult(NamedTuple):
    """The result for one canary; a flaw where it proves nothing."""

    state: FenceState
    flaw: Problem | None = None


async def try_canaries(
    client: DavClient, settings: CanaryCollections, now: datetime, rooms: Sequence[str]
) -> Fence:
    """Asks for the kind and for one minute of every canary, after a room's.

    A readable canary is a breach, whatever the other results.

    Args:
        client: asks the server.
        settings: the canaries.
        now: the moment of the check.
        rooms: paths of rooms' calendars, those first that were readable.

    Raises:
        DriverError: the check itself failed.
    """
    if not settings.canaries:
        return Fence(FenceState.UNPROVEN, None, settings.enforce)
    fence = Fence(FenceState.UNPROVEN, now, settings.enforce)
    readable = await _is_any_readable(client, rooms, now)
    seen = await _ask_all(client, settings.canaries, now)
    if any(one.state is FenceState.BREACHED for one in seen):
        return replace(fence, state=FenceState.BREACHED, remedy=_BREACHED)
    flaws = tuple(dict.fromkeys(one.flaw for one in seen if one.flaw))
    if flaws:
        return replace(fence, warnings=flaws)
    if not readable:
        return replace(fence, warnings=(_NOTHING_READABLE,), awaits_rooms=True)
    return replace(fence, state=FenceState.VERIFIED)


def with_excess(fence: Fence, excess: Excess) -> Fence:
    """Adds what the account can do beyond reading rooms to the result of the canaries."""
    state = fence.state
    if excess.names and state is not FenceState.BREACHED:
        state = FenceState.EXCESS
    return replace(
        fence,
        state=state,
        excess=(*fence.excess, *excess.names),
        warnings=(*fence.warnings, *excess.warnings),
    )


async def _ask_all(client: DavClient, canaries: Sequence[str], now: datetime) -> list[_CanaryResult]:
    seen: list[_CanaryResult] = []
    failures: list[DriverError] = []
    for canary in canaries:
        try:
            seen.append(await _try(client, client.within_host(canary, "/"), now))
        except DriverError as error:
            failures.append(error)
    if failures and not any(one.state is FenceState.BREACHED for one in seen):
        raise failures[0]
    return seen


async def _try(client: DavClient, path: str, now: datetime) -> _CanaryResult:
    """Asks for a canary in both ways, since a server may refuse the properties and yet answer the query."""
    for method, body in (("PROPFIND", KIND), ("REPORT", calendar_query(now, now + timedelta(minutes=1)))):
        try:
            reply = await client.ask(method, path, body)
            shown = await _is_shown(reply)
        except UnexpectedAnswer as error:
            return _CanaryResult(FenceState.UNPROVEN, flaw(f"a canary proves nothing: {error}", _NO_PROOF))
        if shown:
            return _CanaryResult(FenceState.BREACHED)
        if reply.status == HTTPStatus.OK:
            return _CanaryResult(FenceState.UNPROVEN, _A_PAGE)
        if reply.status not in _REFUSED and reply.status != HTTPStatus.MULTI_STATUS:
            meaning = connection_error(reply.status, reply.headers, reply.rest)
            if isinstance(meaning, Unavailable):
                raise meaning
            text = f"a canary was refused with {reply.status}, which is not how a calendar is refused"
            return _CanaryResult(FenceState.UNPROVEN, flaw(text, _NO_PROOF))
    return _CanaryResult(FenceState.VERIFIED)


async def _is_shown(reply: DavReply) -> bool:
    """Whether an answer shows anything of a canary: a multistatus may refuse it as well.

    Raises:
        UnexpectedAnswer: it is no multistatus, though it has the status of one.
    """
    if reply.status != HTTPStatus.MULTI_STATUS:
        return False
    responses = await responses_of(reply.body, reply.path)
    own = [one for one in responses if one.key == key_of(reply.path)]
    refused = bool(own) and all(one.status in _REFUSED or not (one.ok and one.properties) for one in own)
    return not refused or len(responses) > len(own)


async def _is_any_readable(client: DavClient, rooms: Sequence[str], now: datetime) -> bool:
    """Returns whether one of the first rooms can be read.

    Raises:
        DriverError: that could not be found out.
    """
    failing = False
    for path in rooms[:_ROOMS]:
        reply = await client.ask("REPORT", path, calendar_query(now, now + timedelta(minutes=1)), depth="1")
        if reply.status == HTTPStatus.MULTI_STATUS:
            return True
        failing |= isinstance(connection_error(reply.status, reply.headers, reply.rest), Unavailable)
    if failing:
        raise Unavailable("no room can be read now, which the check of the fence requires")
    return False
