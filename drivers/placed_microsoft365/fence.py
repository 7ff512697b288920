"""Tries the fence: every canary has to be refused, and the token may hold no more than is needed."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.driver import DriverError, Fence, FenceState, Unavailable
from placed_microsoft365.answers import UnexpectedAnswer, decode, error_of
from placed_microsoft365.permissions import CALENDARS_READ, RBAC, excess, may_read_calendars
from placed_microsoft365.views import calendar_view
from placed_microsoft365.wire import Events

if TYPE_CHECKING:
    from datetime import datetime

    from placed_microsoft365.claims import Claims
    from placed_microsoft365.graph import Graph
    from placed_microsoft365.settings import FenceSettings


_UNION_TRAP = (
    f"the token's roles hold {CALENDARS_READ}, a grant in Entra that cancels the scope of RBAC for "
    "Applications: remove it from the application (placed setup writes the script)"
)
_NO_MAILBOX = "a canary is no mailbox, so it proves nothing: name one that exists in fence.canaries"


async def try_canaries(graph: Graph, settings: FenceSettings, now: datetime) -> Fence:
    """Asks for a minute of every canary's calendar.

    One that can be read is a breach, whatever comes of the others. Only a 403 proves that one can not: a
    mailbox that does not exist proves nothing about the fence.

    Raises:
        DriverError: the trial itself failed.
    """
    states: list[FenceState] = []
    failures: list[DriverError] = []
    for canary in settings.canaries:
        try:
            states.append(await _try(graph, canary, now))
        except DriverError as error:
            failures.append(error)
    if FenceState.BREACHED in states:
        return Fence(FenceState.BREACHED, now, settings.enforce)
    if failures:
        raise failures[0]
    if FenceState.UNPROVEN in states:
        return Fence(FenceState.UNPROVEN, now, settings.enforce, warnings=(_NO_MAILBOX,))
    if not states:
        return Fence(FenceState.UNPROVEN, None, settings.enforce)
    return Fence(FenceState.VERIFIED, now, settings.enforce)


def weigh(fence: Fence, settings: FenceSettings, claims: Claims | None) -> Fence:
    """The result of the canaries together with what the token lists.

    Grants add up (Microsoft: RBAC for Applications, FAQ): one in Entra is not limited by Exchange's scope.
    """
    roles = claims.roles if claims is not None else ()
    too_much = excess(roles)
    warnings = fence.warnings
    if settings.kind == RBAC and may_read_calendars(claims):
        warnings = (*warnings, _UNION_TRAP)
    state = fence.state
    if too_much and state is not FenceState.BREACHED:
        state = FenceState.EXCESS
    return replace(fence, state=state, excess=too_much, warnings=warnings)


async def _try(graph: Graph, canary: str, now: datetime) -> FenceState:
    url = calendar_view(canary, now, now + timedelta(minutes=1), fields=("id", "start", "end"), page_size=1)
    answer = await graph.ask("GET", url)
    if answer.status == HTTPStatus.OK:
        try:
            decode(answer.body, Events)
        except UnexpectedAnswer:  # a gateway's page, say: no proof of anything
            raise Unavailable("the answer for a canary is no calendar") from None
        return FenceState.BREACHED
    if answer.status == HTTPStatus.FORBIDDEN:
        return FenceState.VERIFIED
    error = error_of(answer)
    if isinstance(error, Unavailable):
        raise error
    return FenceState.UNPROVEN
