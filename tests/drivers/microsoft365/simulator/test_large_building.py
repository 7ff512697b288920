"""A very large building does not make the simulated services slow."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from placed_microsoft365.simulator import Simulator, building_of
from tests.drivers.microsoft365.simulator.simulator_client import Client

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock

ROOMS = 5_500
QUERY = (
    "/calendarView?startDateTime=2026-10-05T00:00:00Z&endDateTime=2026-10-08T00:00:00Z"
    "&$top=100&$select=subject,start,end,showAs,isCancelled,isAllDay,sensitivity,organizer,responseStatus"
)


async def test_a_round_of_275_batches_takes_little_time(clock: Clock) -> None:
    """Measured as CPU time of both sides, for the second round, when no calendar has changed."""
    tenant = building_of(ROOMS, clock)
    app = tenant.register_app(secrets=["s3cret"], roles={"Calendars.Read"})
    tenant.restrict(app, "placed-rooms")
    rooms = [room.address for room in tenant.rooms()]
    async with Simulator(tenant) as simulator:
        context = ssl.create_default_context(cafile=str(simulator.ca_file))
        async with Client(simulator, app, context) as client:
            for _ in range(2):
                begin = time.process_time()
                for first in range(0, ROOMS, 20):
                    urls = [f"/users/{room}{QUERY}" for room in rooms[first : first + 20]]
                    answer = await client.post_batch(urls)
                    assert answer.status == 200
                took = time.process_time() - begin
    assert len(answer.json["responses"][0]["body"]["value"]) == 8
    assert took < 3.0
