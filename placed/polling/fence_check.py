"""Checks a connection's fence on time, or when circumstances change, and logs the result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import structlog

from placed.driver import UNTRIED, Fence, FenceCircumstances, FenceState, FenceTrial, Unavailable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from placed.domain.clock import Clock
    from placed.driver import Driver

EVERY = 3600.0  # seconds between checks
_AGAIN = 60.0  # seconds until a failed check is repeated
_UNTIL_PROVEN = 300.0  # seconds between checks without proof, if there are canaries

log = structlog.get_logger("placed.fence")


class FenceCheck:
    """Checks one connection's fence.

    Args:
        connection: its name.
        driver: checks the fence, if it can.
        clock: the clock.
        registration: of the connection's several ones; empty for the one that reads.
    """

    def __init__(
        self, connection: str, driver: Driver | FenceTrial, clock: Clock, registration: str = ""
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._trial = driver if isinstance(driver, FenceTrial) else None
        self._clock = clock
        self._log = log.bind(
            connection=connection, **({"registration": registration} if registration else {})
        )
        self.next = 0.0  # the time of the next check, on the steady clock
        self.fence = UNTRIED
        self.tried = False
        self._reported: Fence | None = None  # the last logged result
        self._reported_at = 0.0
        self._tried_with: Hashable = None
        self._circumstances: Hashable = None

    @property
    def enforcing(self) -> bool:
        """Whether a breach is enforced, so that nothing may be read any more."""
        return self.fence.state is FenceState.BREACHED and self.fence.enforce

    def demand(self) -> None:
        """Makes a check due now."""
        if self._trial is not None:
            self.next = 0.0

    def observe(self, circumstances: Hashable) -> None:
        """Takes in what else is known of the connection after a reading.

        The fence is checked at once if that has changed since the reading before, or if the driver has
        another token than at the last check: either may mean that others may be read than before.
        """
        changed = self._circumstances not in (None, circumstances)
        self._circumstances = circumstances
        if changed or self._driver_s() != self._tried_with:
            self.demand()

    async def look(self) -> bool:
        """Checks the fence if that is due; returns whether it did.

        Raises:
            DriverError: the connection as a whole cannot be read. An unavailable service is not such an
                error: it answers nothing about the fence, and does not prevent reading.
        """
        if self._clock.steady() < self.next:
            return False
        if self._trial is None:
            self.next, self.tried = math.inf, True
            self._log.warning("fence.is_unproven", problem="the driver cannot try a fence")
            return False
        try:
            fence = await self._trial.try_fence()
        except Unavailable as error:
            self._tried_with = self._driver_s()
            self.next = self._clock.steady() + _AGAIN
            self._log.warning("fence.was_not_tried", problem=str(error))
            return False
        self._tried_with = self._driver_s()
        unproven = fence.state is FenceState.UNPROVEN and fence.checked_at is not None
        self.next = self._clock.steady() + (_UNTIL_PROVEN if unproven else EVERY)
        self.fence, self.tried = fence, True
        self._report(fence)
        return True

    def _driver_s(self) -> Hashable:
        driver = self._driver
        return driver.fence_circumstances if isinstance(driver, FenceCircumstances) else None

    def _report(self, fence: Fence) -> None:
        before, moment = self._reported, self._clock.steady()
        news = before is None or (before.state, before.warnings) != (fence.state, fence.warnings)
        match fence.state:
            case FenceState.BREACHED:
                self._log.error(
                    "fence.was_breached", enforce=fence.enforce, excess=list(fence.excess) or None
                )
            case FenceState.UNPROVEN if news or moment - self._reported_at >= EVERY:
                self._log.warning(
                    "fence.is_unproven",
                    problem="nothing shows that only the rooms are readable",
                    remedy=(
                        "set fence.canaries to mailboxes outside of the fence"
                        if fence.checked_at is None
                        else "; ".join(warning.line for warning in fence.warnings) or None
                    ),
                )
                self._reported_at = moment
            case FenceState.EXCESS if before is None or fence.excess != before.excess:
                self._log.error(
                    "fence.is_in_excess",
                    permissions=list(fence.excess),
                    remedy="take these permissions from the application: nothing of placed needs them",
                )
            case FenceState.VERIFIED if before is None or before.state is not FenceState.VERIFIED:
                self._log.info("fence.was_verified")
        in_one_line = fence.state is FenceState.UNPROVEN and fence.checked_at is not None
        for warning in () if in_one_line else fence.warnings:
            if before is None or warning not in before.warnings:
                self._log.warning("fence.has_a_flaw", problem=warning.text, remedy=warning.remedy or None)
        self._reported = fence
