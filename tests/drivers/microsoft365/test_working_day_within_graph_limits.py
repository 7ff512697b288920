"""A working day of 5,500 rooms against the limits of Graph, which the service enforces, in simulated time."""

from __future__ import annotations

from array import array
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Status
from placed.domain.occupancy import Policy
from placed.settings.polling_settings import Polling
from tests.benchmarks.simulated_time.event_loop import run
from tests.benchmarks.simulated_time.freshness import HOUR, Day
from tests.benchmarks.simulated_time.polled_connection import Polled
from tests.benchmarks.simulated_time.rate_limited_graph import LimitedGraph, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOMS = 5_500
LIMITS = Limits()
POLICY = Policy(expire_after=timedelta(hours=2))  # so that a night may be as quiet as its rooms are


def most_within(moments: Sequence[float], seconds: float) -> int:
    """The most of them, which are in their order, within any so many seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize(
    ("begin", "hours", "polling"),
    [
        pytest.param(6.9, 0.2, Polling(budget=11_000), id="twelve minutes from night to day"),
        pytest.param(
            0.0,
            24.0,
            Polling(budget=11_000),
            id="a day, as busy as with the usual interval",
            marks=pytest.mark.long,
        ),
    ],
)
def test_no_limit_is_met(begin: float, hours: float, polling: Polling) -> None:
    graph = LimitedGraph(Day(ROOMS, 1), LIMITS, begin * HOUR)
    driver_setup = Polled(graph, ROOMS, polling, begin * HOUR, POLICY)
    run(driver_setup.live(hours * HOUR))

    assert polling.budget is not None
    assert graph.throttled == len(graph.refusals) == 0
    assert most_within(graph.moments, LIMITS.of_app_within) <= LIMITS.of_app
    assert most_within(graph.moments, 60.0) <= polling.budget
    by_mailbox: defaultdict[int, array[float]] = defaultdict(lambda: array("d"))
    for moment, mailbox in zip(graph.moments, graph.mailboxes, strict=True):
        by_mailbox[mailbox].append(moment)
    assert len(by_mailbox) == ROOMS
    for moments in by_mailbox.values():
        assert most_within(moments, LIMITS.takes) <= LIMITS.of_mailbox_at_once
        assert most_within(moments, LIMITS.of_mailbox_within) <= LIMITS.of_mailbox

    # It was not for want of asking, and nothing looks older than it is.
    assert len(graph.moments) > 0.4 * polling.budget * 60 * hours
    assert len(graph.moments) / len(graph.batches) > 19.5
    assert not any(statement.occupancy.stale for statement in driver_setup.board.statements)
    assert all(
        statement.occupancy.status is not Status.UNKNOWN for statement in driver_setup.board.statements
    )
