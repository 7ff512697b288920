"""The poller with the real driver against the simulated Workspace; time passes while the poller waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.driver import ConnectionSettings
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.polling_settings import Polling

if TYPE_CHECKING:
    from datetime import datetime

    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.model import Occupancy
    from placed_google import Google
    from tests.drivers.google.driver_setup import DriverSetup
    from tests.drivers.google.simulator.conftest import Clock


class PollerClock:
    """The Workspace's clock as the poller wants one; waiting takes no time but that which passes on it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.moment

    def now(self) -> datetime:
        return self._clock.moment

    def steady(self) -> float:
        return 1000.0 + (self._clock.moment - self._begun).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds=seconds)


class PolledWorkspace:
    """A connection that is polled every 30 seconds."""

    def __init__(self, driver_setup: DriverSetup, driver: Google, zone: str = "UTC") -> None:
        self.clock = PollerClock(driver_setup.clock)
        self.board = Board(Policy(), Show.EVERYTHING, self.clock.now, epoch=1)
        self.poller = Poller(
            connection=ConnectionSettings(name="fabrikam", driver="google", time_zone=ZoneInfo(zone)),
            driver=driver,
            board=self.board,
            book=RoomIds({}),
            polling=Polling(interval=timedelta(seconds=30)),
            clock=self.clock,
            jitter=lambda: 0.0,
        )

    async def poll(self, seconds: float = 1.0) -> None:
        """Lets the poller do what it does, for so long."""
        end = self.clock.steady() + seconds
        while self.clock.steady() < end:
            await self.clock.sleep(max(await self.poller.step(), 0.1))
            self.board.judge_due()

    @property
    def health(self) -> ConnectionHealth:
        return self.poller.health

    def occupancy(self, room_id: str) -> Occupancy:
        statement = self.board.statement(room_id)
        assert statement is not None
        return statement.occupancy

    def status(self, room_id: str) -> str:
        return self.occupancy(room_id).status.value
