"""The sensors of a campaign end when the campaign stops them."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.fault_injection.sensor_fleet import Fleet
from tests.fault_injection.shared_clock import SharedClock
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from pathlib import Path


class LosingFleet(Fleet):
    """Loses one cancellation, as `asyncio.wait_for` may before Python 3.12."""

    async def report(self, *args: Any, **more: Any) -> None:
        await super().report(*args, **more)
        current = asyncio.current_task()
        assert current is not None
        if not current.cancelling():
            asyncio.get_running_loop().call_soon(current.cancel)
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)


async def test_the_sensors_end_though_their_client_loses_the_cancellation(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    try:
        clock = SharedClock(tmp_path / "clock")
        fleet = LosingFleet(broker.port, clock, random.Random(1))  # noqa: S311 - a play, not a secret
        await asyncio.create_task(fleet.run())
        assert fleet.sent > 0
    finally:
        await broker.kill()
