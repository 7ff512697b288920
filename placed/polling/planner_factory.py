"""Creates the planner of a connection's readings by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placed.polling.adaptive import AdaptivePlanner, AdaptivePolicy
from placed.polling.fixed_interval import FixedIntervalPlanner

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from placed.polling.reading_planner import ReadingPlanner
    from placed.settings.polling_settings import Polling


def planner_for(
    polling: Polling,
    longest: timedelta,
    jitter: Callable[[], float],
    shortest: Callable[[int], float],
    usual: timedelta | None = None,
) -> ReadingPlanner[Any]:
    """All rooms once an interval, or each by its need where readings have a budget.

    Args:
        polling: how often.
        longest: how seldom a room may be read where a budget is set.
        jitter: a number from [0, 1).
        shortest: the seconds in which so many rooms can be read at most.
        usual: the connection's interval, unless the settings name one.
    """
    interval = polling.interval_of(usual).total_seconds()
    if polling.budget is None:
        return FixedIntervalPlanner(interval, jitter, shortest, polling.interval.total_seconds())
    policy = AdaptivePolicy(polling.budget, interval, longest.total_seconds(), polling.hours)
    return AdaptivePlanner(policy, jitter, shortest)
