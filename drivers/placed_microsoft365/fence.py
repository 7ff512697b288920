"""Tries the fence: every canary has to be refused."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import DriverError, Fence, FenceState, Unavailable
from placed_microsoft365.answers import UnexpectedAnswer, decode, error_of
from placed_microsoft365.views import calendar_view
from placed_microsoft365.wire import Events

if TYPE_CHECKING:
    from datetime import datetime

    from placed_microsoft365.graph import Graph
    from placed_microsoft365.settings import FenceSettings


async def try_fence(graph: Graph, settings: FenceSettings, now: datetime) -> Fence:
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
    state = FenceState.VERIFIED if set(states) == {FenceState.VERIFIED} else FenceState.UNPROVEN
    return Fence(state, now if states else None, settings.enforce)


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
