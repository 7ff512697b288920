"""The poller with the real driver against the simulated tenant; the test moves the clock."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.domain.connection_health import ConnectionState
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.driver import ConnectionSettings
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.polling_settings import Polling
from placed.store.in_memory_connection_store import ConnectionMemory

if TYPE_CHECKING:
    from datetime import datetime

    from placed.domain.consent_record import ConsentMemory
    from placed.driver import Consent
    from placed_microsoft365 import Microsoft365
    from tests.drivers.microsoft365.driver_setup import DriverSetup
    from tests.drivers.microsoft365.simulator.conftest import Clock

INTERVAL = 30.0  # seconds, as by default


class TenantClock:
    """The tenant's clock as the poller wants one; waiting takes no time but that which passes on it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.moment

    def now(self) -> datetime:
        return self._clock.moment

    def steady(self) -> float:
        return 1000.0 + (self._clock.moment - self._begun).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds=seconds)


class Polled:
    """A connection that is polled.

    Args:
        driver_setup: the tenant.
        driver: the connection, opened.
        consent: keeps what is known of consent.
    """

    def __init__(
        self, driver_setup: DriverSetup, driver: Microsoft365, consent: ConsentMemory | None = None
    ) -> None:
        self.clock = TenantClock(driver_setup.clock)
        self.driver_setup = driver_setup
        self.board = Board(Policy(), Show.NOTHING, self.clock.now, epoch=1)
        self.poller = Poller(
            connection=ConnectionSettings(
                name="contoso", driver="microsoft365", time_zone=ZoneInfo("Europe/Berlin")
            ),
            driver=driver,
            board=self.board,
            book=RoomIds({}),
            polling=Polling(interval=timedelta(seconds=INTERVAL)),
            clock=self.clock,
            notes=ConnectionMemory(consent),
            jitter=lambda: 0.0,
        )

    def state(self) -> ConnectionState:
        """Of the connection, now."""
        return self.poller.health.state

    def consent(self) -> Consent:
        """What is known of it now."""
        return self.poller.health.consent

    async def go_on(self, *, minutes: float) -> None:
        """So much time passes, in which the poller does what it does; nothing any more after a breach."""
        end = self.clock.steady() + minutes * 60
        while self.clock.steady() < end and self.state() is not ConnectionState.BREACHED:
            pause = await self.poller.step()
            await self.clock.sleep(min(pause, end - self.clock.steady()))
            self.board.judge_due()


def apart(moments: list[datetime]) -> list[float]:
    """How many seconds are between each two that follow each other."""
    return [(after - before).total_seconds() for before, after in itertools.pairwise(moments)]
