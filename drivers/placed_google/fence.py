"""Checks the fence: canaries must not be found while a room is readable, and nobody may be impersonated.

The same 404 means "not shared" and "no such calendar", so a canary proves something only if somebody has
checked that it exists. With domain-wide delegation there is no fence: the key can act as any user.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import DriverError, Fence, FenceState, NotPermitted, Problem, Unavailable, UnexpectedAnswer
from placed_google.api.json_structs import Events
from placed_google.api.reply import decode, error_reason, is_ok
from placed_google.calendars.batch_request import BATCH_PATH, CONTENT_TYPE, batch_request
from placed_google.calendars.event_to_meeting import MAY_WRITE, SEES_NO_DETAILS
from placed_google.calendars.multipart_answer import parts_of
from placed_google.calendars.room_calendar import events_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from placed_google.api.client import ApiClient
    from placed_google.settings import FenceSettings

_ROOMS = 10  # of which one has to be readable
FREE_BUSY_OF_PEOPLE = "free/busy of people"
DELEGATION = "domain-wide delegation"


def _flaw(text: str, remedy: str) -> Problem:
    return Problem("", text, remedy, joint=": ")


SUBJECT_CANNOT_BE_FENCED = _flaw(
    "domain-wide delegation cannot be fenced: the key can act as any user of the organisation",
    "share the rooms with the service account, remove subject, and take the delegation back",
)
_DELEGATION_IS_ON = _flaw(
    "domain-wide delegation is granted and cannot be fenced: the key can act as any user of the organisation",
    "remove the service account's client id at Security > Access and data control > API controls > "
    "Domain-wide delegation: placed does not need it",
)
_FREE_BUSY = _flaw(
    "free/busy of a canary is readable, though no details: it is public, or shared by default",
    "limit what outsiders may see of primary calendars (Admin console, Calendar, Sharing settings)",
)
_MAY_NOT_EXIST = _flaw(
    "a canary is not found, which is also the answer for a calendar that does not exist",
    "check that each canary exists, for example in Google Calendar, then set fence.canaries_exist = true",
)
_NOT_GOOGLE = _flaw(
    "a canary was refused by something that is not Google Calendar, which proves nothing",
    "check the proxy between this machine and Google",
)
_NO_PROOF = "check that it is a person's calendar, or name another one in fence.canaries"
_NOTHING_READABLE = _flaw(
    "the canaries are refused, but so is every room, which proves nothing",
    "share the rooms with the service account, it is tried again as soon as a room can be read",
)
_ANOTHER_TOKEN = _flaw(
    "the token changed during the trial, which proves nothing", "no action, it is tried again"
)
_IMPERSONATION_NOT_TRIED = _flaw(
    "whether domain-wide delegation is granted could not be tried",
    "look at Security > Access and data control > API controls > Domain-wide delegation",
)
_BREACHED = "take back the share of people's calendars with the service account, or of the whole organisation"


@dataclass(frozen=True, slots=True)
class _CanaryResult:
    """The result for one canary, with the token of the request; a flaw where it proves nothing, or excess."""

    state: FenceState
    token: str = field(repr=False)
    flaw: Problem | None = None


def requests_for(settings: FenceSettings, rooms: Sequence[str]) -> int:
    """Returns how many requests `try_canaries` sends, as Google counts them: each part of a batch is one."""
    return len(rooms[:_ROOMS]) + len(settings.canaries) if settings.canaries else 0


async def try_canaries(
    client: ApiClient,
    settings: FenceSettings,
    now: datetime,
    rooms: Sequence[str],
) -> Fence:
    """Requests one minute of every canary's calendar, after a room's.

    A readable canary is a breach, whatever the other results. A refusal proves something only if a room is
    readable with the same token.

    Args:
        client: reads events.
        settings: the canaries.
        now: the moment of the check.
        rooms: calendars of rooms, those first that were readable.

    Raises:
        DriverError: the check itself failed.
    """
    if not settings.canaries:
        return Fence(FenceState.UNPROVEN, None, settings.enforce)
    fence = Fence(FenceState.UNPROVEN, now, settings.enforce)
    token = await _token_that_reads(client, rooms, now)
    seen = await _ask_all(client, settings, now)
    if (found := _result_of(fence, seen)) is not None:
        return found
    if token is None:
        return replace(fence, warnings=(_NOTHING_READABLE,), awaits_rooms=True)
    if {one.token for one in seen} != {token}:
        return replace(fence, warnings=(_ANOTHER_TOKEN,))
    return replace(fence, state=FenceState.VERIFIED)


def with_excess(
    fence: Fence, roles: Iterable[str], *, delegated: bool | None, subject: bool = False
) -> Fence:
    """Adds what the service account can do beyond reading rooms to the result of the canaries.

    Args:
        fence: the result.
        roles: the account's roles on the rooms' calendars.
        delegated: whether it can impersonate people; None if that cannot be tried.
        subject: whether the settings ask for that.
    """
    excess, warnings = list(fence.excess), list(fence.warnings)
    if subject or delegated:
        excess.append(DELEGATION)
        warnings.append(SUBJECT_CANNOT_BE_FENCED if subject else _DELEGATION_IS_ON)
    elif delegated is None and fence.checked_at is not None:
        warnings.append(_IMPERSONATION_NOT_TRIED)
    writable = Counter(role for role in roles if role in MAY_WRITE)
    if writable:
        excess += [f"role {role} on rooms' calendars" for role in sorted(writable)]
        text = f"the service account may change bookings of {writable.total()} room(s)"
        warnings.append(_flaw(text, 'share them as "See all event details" instead'))
    state = fence.state
    if excess and state is not FenceState.BREACHED:
        state = FenceState.EXCESS
    return replace(fence, state=state, excess=tuple(excess), warnings=tuple(warnings))


def _result_of(fence: Fence, seen: Sequence[_CanaryResult]) -> Fence | None:
    """Returns the result, unless every canary was refused."""
    states = {one.state for one in seen}
    if FenceState.BREACHED in states:
        return replace(fence, state=FenceState.BREACHED, remedy=_BREACHED)
    flaws = tuple(dict.fromkeys(one.flaw for one in seen if one.flaw))
    if FenceState.EXCESS in states:
        return replace(fence, state=FenceState.EXCESS, excess=(FREE_BUSY_OF_PEOPLE,), warnings=flaws)
    return replace(fence, warnings=flaws) if flaws else None


async def _ask_all(client: ApiClient, settings: FenceSettings, now: datetime) -> list[_CanaryResult]:
    seen: list[_CanaryResult] = []
    failures: list[DriverError] = []
    for canary in settings.canaries:
        try:
            seen.append(await _try(client, canary, now, exists=settings.canaries_exist))
        except DriverError as error:
            failures.append(error)
    if failures and not any(one.state is FenceState.BREACHED for one in seen):
        raise failures[0]
    return seen


async def _try(client: ApiClient, canary: str, now: datetime, *, exists: bool) -> _CanaryResult:
    reply = await client.ask("GET", a_minute(canary, now))
    if is_ok(reply):
        try:
            role = decode(reply.body, Events).access_role
        except UnexpectedAnswer:  # for example a gateway's page, which proves nothing
            raise Unavailable("the answer for a canary is no calendar") from None
        if role in SEES_NO_DETAILS:
            return _CanaryResult(FenceState.EXCESS, reply.token, _FREE_BUSY)
        return _CanaryResult(FenceState.BREACHED, reply.token)
    meaning = client.meaning(reply)
    if isinstance(meaning.error, Unavailable) or meaning.row.everywhere:
        raise meaning.error
    refused = reply.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    if refused and not error_reason(reply.body):
        flaw = _NOT_GOOGLE
    elif refused and (exists or reply.status == HTTPStatus.FORBIDDEN):
        return _CanaryResult(FenceState.VERIFIED, reply.token)
    elif refused:
        flaw = _MAY_NOT_EXIST
    else:
        text = f"a canary was refused with {meaning.problem.text}, which is not how it is refused"
        flaw = _flaw(text, _NO_PROOF)
    return _CanaryResult(FenceState.UNPROVEN, reply.token, flaw)


async def _token_that_reads(client: ApiClient, rooms: Sequence[str], now: datetime) -> str | None:
    """Returns the token with which one of the first rooms can be read; None if none can.

    Raises:
        DriverError: that could not be found out.
    """
    if not rooms:
        return None
    paths = [a_minute(room, now) for room in rooms[:_ROOMS]]
    outer = await client.ask("POST", BATCH_PATH, batch_request(paths), CONTENT_TYPE)
    if not is_ok(outer):
        error = client.meaning(outer).error
        if isinstance(error, NotPermitted):
            return None
        raise error
    failing = False
    for part in parts_of(outer, client.rest_in).parts.values():
        if is_ok(part):
            return outer.token
        failing |= client.meaning(part).row.reason in (Reason.THROTTLED, Reason.UNAVAILABLE)
    if failing:
        raise Unavailable("no room can be read now, which the check of the fence requires")
    return None


def a_minute(calendar: str, now: datetime) -> str:
    """Returns the path of one minute of a calendar, without any details."""
    until = now + timedelta(minutes=1)
    return events_path(calendar, now, until, fields="accessRole,items(id)", page_size=1)
