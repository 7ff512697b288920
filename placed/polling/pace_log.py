"""Logs when rooms are read less often than configured: a budget or a service's limit is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from placed.polling.reading_planner import ReadingPlanner

log = structlog.get_logger("placed.polling.poller")


class PaceLog:
    """Logs each condition when it begins.

    Args:
        connection: its name.
    """

    def __init__(self, connection: str) -> None:
        self._log = log.bind(connection=connection)
        self._budget_is_small = False
        self._is_stretched = False

    def look(self, planner: ReadingPlanner[Any], interval: float, shortest: float) -> None:
        """Compares the plan with the settings.

        Args:
            planner: plans the readings.
            interval: the seconds of the settings.
            shortest: those in which the service allows to read all rooms.
        """
        needed = planner.budget_needed
        if needed is not None and not self._budget_is_small:
            self._log.warning(
                "polling.budget_is_small",
                rooms=len(planner),
                needed=needed,
                remedy=f"set polling.budget to {needed} at least; until then rooms are read less often",
            )
        self._budget_is_small = needed is not None
        stretched = shortest > interval
        if stretched and not self._is_stretched:
            self._log.warning(
                "polling.interval_is_stretched",
                rooms=len(planner),
                seconds=round(shortest),
                remedy="the service allows no more requests: a second account can read some of the rooms",
            )
        self._is_stretched = stretched
