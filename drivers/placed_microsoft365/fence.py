"""Checks the fence: canaries must be refused while a room is readable, and no role may be excessive."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import DriverError, Fence, FenceState, NotPermitted, Problem, Unavailable, UnexpectedAnswer
from placed_microsoft365.auth.application_permissions import CALENDARS_READ, RBAC, excess, may_read_calendars
from placed_microsoft365.calendars.calendar_view import calendar_view
from placed_microsoft365.graph.client import BATCH_SIZE
from placed_microsoft365.graph.error_codes import error_meaning
from placed_microsoft365.graph.json_structs import Readable
from placed_microsoft365.graph.response import decode, error_code, error_of, items_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from placed_microsoft365.auth.token_claims import Claims
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.settings import FenceSettings


def _flaw(text: str, remedy: str) -> Problem:
    return Problem("", text, remedy, joint=": ")


def _union_trap(permission: str) -> Problem:
    return _flaw(
        f"the token's roles hold {permission}, a grant in Entra that cancels the scope of RBAC for "
        "Applications",
        "remove it from the application (placed setup writes the script)",
    )


# The code with which Exchange refuses a mailbox to an application, by policy, by scope or without a grant.
_DENIED = "erroraccessdenied"
_NO_MAILBOX = _flaw(
    "a canary does not exist as a mailbox, so it proves nothing", "name one that exists in fence.canaries"
)
_NOT_GRAPH = _flaw(
    "a canary was refused with 403 by something that is not Microsoft Graph, which proves nothing",
    "check the proxy between this machine and Graph",
)
_NO_PROOF = "check that it is a working mailbox in the cloud, or name another one in fence.canaries"
_NOTHING_READABLE = _flaw(
    "the canaries are refused, but so is every room, which proves nothing",
    "grant consent and put the rooms into the fence, it is tried again as soon as a room can be read",
)
_BREACHED = "fix the access policy or the RBAC scope"  # placed setup writes scripts for both
_ANOTHER_TOKEN = _flaw(
    "the token changed during the trial, which proves nothing", "no action, it is tried again"
)


@dataclass(frozen=True, slots=True)
class _CanaryResult:
    """The result for one canary: breached, verified, or unproven for a reason; and the request's token."""

    state: FenceState
    token: str = field(repr=False)
    reason: Problem | None = None


async def try_canaries(
    graph: GraphClient,
    settings: FenceSettings,
    now: datetime,
    rooms: Callable[[], Awaitable[Sequence[str]]],
    proven_token: str | None = None,
) -> Fence:
    """Requests one minute of every canary's calendar, and of a room's.

    A readable canary is a breach, whatever the other results. Only the service's own refusal of that mailbox
    proves that it cannot be read: a mailbox that does not exist, or a proxy, proves nothing. It also proves
    nothing if the rooms are refused as well: a room has to be readable with the same token. Since a grant may
    take effect in between, the canaries are requested again after the room.

    Args:
        graph: the client.
        settings: the canaries.
        now: the moment of the check.
        rooms: returns the mailboxes of some rooms, those first that were readable.
        proven_token: the token with which a room was readable before; then one round is enough.

    Raises:
        DriverError: the check itself failed.
    """
    if not settings.canaries:
        return Fence(FenceState.UNPROVEN, None, settings.enforce)
    fence = Fence(FenceState.UNPROVEN, now, settings.enforce)
    for _ in range(2):
        found = await _round(graph, settings, fence, rooms, proven_token)
        if found is not None:
            return found
    return replace(fence, warnings=(_ANOTHER_TOKEN,))


async def _round(
    graph: GraphClient,
    settings: FenceSettings,
    fence: Fence,
    rooms: Callable[[], Awaitable[Sequence[str]]],
    proven_token: str | None,
) -> Fence | None:
    """Requests canaries, a room and the canaries; None if the token changed in between."""
    now = fence.checked_at
    assert now is not None  # noqa: S101 - it is the moment of this check
    seen = await _ask_all(graph, settings, now)
    if (found := _result_of(fence, seen)) is not None:
        return found
    readable, token = await _any_readable(graph, await rooms(), now)
    if not readable:
        return replace(fence, warnings=(_NOTHING_READABLE,), awaits_rooms=True)
    if token != proven_token or {one.token for one in seen} != {token}:
        seen = await _ask_all(graph, settings, now)
        if (found := _result_of(fence, seen)) is not None:
            return found
    return replace(fence, state=FenceState.VERIFIED) if {one.token for one in seen} == {token} else None


def _result_of(fence: Fence, seen: Sequence[_CanaryResult]) -> Fence | None:
    """Returns the result, unless every canary was refused."""
    if any(one.state is FenceState.BREACHED for one in seen):
        return replace(fence, state=FenceState.BREACHED, remedy=_BREACHED)
    reasons = dict.fromkeys(one.reason for one in seen if one.reason)
    return replace(fence, warnings=tuple(reasons)) if reasons else None


async def _ask_all(graph: GraphClient, settings: FenceSettings, now: datetime) -> list[_CanaryResult]:
    seen: list[_CanaryResult] = []
    failures: list[DriverError] = []
    for canary in settings.canaries:
        try:
            seen.append(await _try(graph, canary, now))
        except DriverError as error:
            failures.append(error)
    if failures and not any(one.state is FenceState.BREACHED for one in seen):
        raise failures[0]
    return seen


def with_roles(
    fence: Fence, settings: FenceSettings, claims: Claims | None, wanted: str = CALENDARS_READ
) -> Fence:
    """Adds what the token lists to the result of the canaries.

    Grants add up (Microsoft: RBAC for Applications, FAQ): one in Entra is not limited by Exchange's scope.

    Args:
        fence: the result of the canaries.
        settings: the kind of the fence.
        claims: those of the token.
        wanted: the permission that the registration is for; Calendars.ReadWrite is meant for that of actions
            only.
    """
    roles = claims.roles if claims is not None else ()
    too_much = excess(roles, wanted)
    warnings = fence.warnings
    if settings.kind == RBAC and may_read_calendars(claims):
        warnings = (*warnings, _union_trap(wanted))
    state = fence.state
    if too_much and state is not FenceState.BREACHED:
        state = FenceState.EXCESS
    return replace(fence, state=state, excess=too_much, warnings=warnings)


async def _try(graph: GraphClient, canary: str, now: datetime) -> _CanaryResult:
    answer = await graph.ask("GET", _a_minute(canary, now))
    if answer.status == HTTPStatus.OK:
        try:
            decode(answer.body, Readable)
        except UnexpectedAnswer:  # for example a gateway's page, which proves nothing
            raise Unavailable("the answer for a canary is no calendar") from None
        return _CanaryResult(FenceState.BREACHED, answer.token)
    code = error_code(answer.body)
    if answer.status == HTTPStatus.FORBIDDEN and code.lower() == _DENIED:
        return _CanaryResult(FenceState.VERIFIED, answer.token)
    error = error_of(answer)
    if isinstance(error, Unavailable):
        raise error
    if answer.status == HTTPStatus.NOT_FOUND:
        reason = _NO_MAILBOX
    elif answer.status == HTTPStatus.FORBIDDEN and not code:
        reason = _NOT_GRAPH
    else:
        refused = f"a canary was refused with {answer.status} {code}".rstrip()
        reason = _flaw(f"{refused}, which is not how a mailbox outside of the fence is refused", _NO_PROOF)
    return _CanaryResult(FenceState.UNPROVEN, answer.token, reason)


async def _any_readable(graph: GraphClient, mailboxes: Sequence[str], now: datetime) -> tuple[bool, str]:
    """Returns whether one of the first rooms can be read, and the token that was used.

    Raises:
        DriverError: that could not be found out.
    """
    if not mailboxes:
        return False, ""
    answer = await graph.batch([_a_minute(mailbox, now) for mailbox in mailboxes[:BATCH_SIZE]])
    if answer.status != HTTPStatus.OK:
        error = error_of(answer)
        if isinstance(error, NotPermitted):
            return False, answer.token
        raise error
    try:
        items = items_of(answer.body)
    except UnexpectedAnswer:
        raise Unavailable("the answer for the rooms is no batch") from None
    failing = False
    for item in items.values():
        if item.status == HTTPStatus.OK:
            with suppress(UnexpectedAnswer):
                decode(item.body, Readable)
                return True, answer.token
        failing |= error_meaning(item.status, error_code(item.body)).reason in _HEALED_BY_TIME
    if failing:
        raise Unavailable("no room can be read now, which the check of the fence requires")
    return False, answer.token


_HEALED_BY_TIME = (Reason.THROTTLED, Reason.UNAVAILABLE)


def _a_minute(mailbox: str, now: datetime) -> str:
    return calendar_view(mailbox, now, now + timedelta(minutes=1), fields=("id", "start", "end"), page_size=1)
