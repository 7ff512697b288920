"""Has a connection's fence tried when it is time, and says what came of it: loudly where it is not proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from placed.driver import UNTRIED, Fence, FenceState, Unavailable

if TYPE_CHECKING:
    from placed.clock import Clock
    from placed.driver import Driver

EVERY = 3600.0  # seconds between trials
_AGAIN = 60.0  # seconds until a trial that could not be made is tried again

log = structlog.get_logger("placed.fence")


class FenceWatch:
    """Watches one connection's fence.

    Args:
        connection: its name.
        driver: tries the fence.
        clock: what time it is.
    """

    def __init__(self, connection: str, driver: Driver, clock: Clock) -> None:
        self._connection = connection
        self._driver = driver
        self._clock = clock
        self._log = log.bind(connection=connection)
        self.next = 0.0  # when it is tried next, on the steady clock
        self.fence = UNTRIED
        self._told: Fence | None = None  # what the log was told last

    @property
    def enforcing(self) -> bool:
        """Whether nothing may be read any more."""
        return self.fence.state is FenceState.BREACHED and self.fence.enforce

    async def look(self) -> bool:
        """Tries it if it is time; whether it was tried.

        Raises:
            DriverError: the connection as a whole can not be read. That it is unavailable is no such error:
                it is no answer, and no reason not to read.
        """
        if self._clock.steady() < self.next:
            return False
        try:
            fence = await self._driver.try_fence()
        except Unavailable as error:
            self.next = self._clock.steady() + _AGAIN
            self._log.warning("fence.was_not_tried", problem=str(error))
            return False
        self.next = self._clock.steady() + EVERY
        self.fence = fence
        self._tell(fence)
        self._told = fence
        return True

    def _tell(self, fence: Fence) -> None:
        before = self._told.state if self._told else None
        match fence.state:
            case FenceState.BREACHED:
                self._log.error(
                    "fence.was_breached", enforce=fence.enforce, excess=list(fence.excess) or None
                )
            case FenceState.UNPROVEN:
                self._log.warning(
                    "fence.is_unproven",
                    problem="nothing shows that only the rooms are readable",
                    remedy="set fence.canaries to mailboxes outside of the fence",
                )
            case FenceState.EXCESS if self._told is None or fence.excess != self._told.excess:
                self._log.error(
                    "fence.is_in_excess",
                    permissions=list(fence.excess),
                    remedy="take these permissions from the application: nothing of placed needs them",
                )
            case FenceState.VERIFIED if before is not FenceState.VERIFIED:
                self._log.info("fence.was_verified")
        for warning in fence.warnings:
            if self._told is None or warning not in self._told.warnings:
                self._log.warning("fence.has_a_flaw", problem=warning)
