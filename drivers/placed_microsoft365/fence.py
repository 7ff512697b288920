"""Tries the fence: every canary has to be refused."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import Fence, FenceState
from placed_microsoft365.graph import error_of
from placed_microsoft365.views import calendar_view

if TYPE_CHECKING:
    from datetime import datetime

    from placed_microsoft365.graph import Graph
    from placed_microsoft365.settings import FenceSettings


async def try_fence(graph: Graph, settings: FenceSettings, now: datetime) -> Fence:
    """Asks for a minute of every canary's calendar.

    Only a 403 proves something: a mailbox that does not exist proves nothing about the fence.

    Raises:
        DriverError: the trial itself failed.
    """
    states = []
    for canary in settings.canaries:
        url = calendar_view(canary, now, now + timedelta(minutes=1), fields=("id",), page_size=1)
        answer = await graph.ask("GET", graph.whole(url))
        if answer.status == HTTPStatus.OK:
            return Fence(FenceState.BREACHED, now, settings.enforce)
        if answer.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            raise error_of(answer)
        states.append(answer.status)
    verified = bool(states) and all(status == HTTPStatus.FORBIDDEN for status in states)
    return Fence(
        FenceState.VERIFIED if verified else FenceState.UNPROVEN, now if states else None, settings.enforce
    )
