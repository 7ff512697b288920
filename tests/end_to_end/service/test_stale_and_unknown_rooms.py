"""What is not read any more is stale, then unknown, on every way out; and recovers by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival, Subscriber

TOPIC = "placed/rooms/boardroom"
LIBRARY = "placed/rooms/library/state"
STEP = 500.0  # seconds; far less than `stale_after`, so that the library is read in time on a slow machine


class PassingTime:
    """Time passes in steps; after each of them the library is read, so that it does not become stale."""

    def __init__(self, deployment: Deployment, panel: Subscriber) -> None:
        self._deployment = deployment
        self._panel = panel
        # Each reading is recognized by a meeting that is earlier than those before.
        self._next_meeting = deployment.clock.now().replace(microsecond=0) + timedelta(hours=20)

    async def step(self, times: int) -> None:
        """So many steps."""
        for _ in range(times):
            self._deployment.clock.leap(STEP)
            start = self._next_meeting
            self._next_meeting -= timedelta(hours=1)
            self._deployment.tenant.book("library", start, start + timedelta(minutes=1))
            await self._panel.until(partial(_is_free_until, start))


def _is_free_until(moment: datetime, arrival: Arrival) -> bool:
    text = arrival.document["free_until"] if arrival.topic == LIBRARY else None
    return text is not None and datetime.fromisoformat(text) == moment


@pytest.mark.parametrize("reason", ["unavailable", "forbidden", "throttled", "malformed", "not_found"])
async def test_an_unreadable_room_becomes_stale_then_unknown_and_recovers(
    deployment: Deployment, reason: str
) -> None:
    faults, now = deployment.tenant.faults, deployment.clock.now()
    deployment.tenant.book("boardroom", now - timedelta(minutes=1), now + timedelta(hours=3))
    deployment.configure(
        polling={"interval": "100ms"}, occupancy={"stale_after": "900s", "expire_after": "1800s"}
    )
    async with (
        deployment.daemon() as running,
        deployment.ways_out(running) as (panel, web),
        web.follow() as stream,
    ):
        await panel.message(f"{TOPIC}/status", "busy")
        heard = len(panel.arrivals)
        break_room = {
            "unavailable": lambda: faults.status(503, room="boardroom"),
            "forbidden": lambda: faults.forbidden(room="boardroom"),
            "throttled": lambda: faults.throttled(room="boardroom", retry_after="0.3"),
            "malformed": lambda: faults.bad_event("missing_start", room="boardroom"),
            "not_found": lambda: faults.status(404, code="ErrorItemNotFound", room="boardroom"),
        }
        break_room[reason]()
        time = PassingTime(deployment, panel)

        await time.step(3)  # at least two of them after the last reading
        reported = await panel.until(
            lambda a: a.topic == f"{TOPIC}/state" and a.document["stale"], after=heard
        )
        assert reported.document["status"] == "busy"
        assert reported.document["reason"] == reason
        stale = await stream.state("boardroom", stale=True)
        assert stale["status"] == "busy"

        await time.step(2)
        reported = await panel.until(
            lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "unknown", after=heard
        )
        assert reported.document["occupied"] is None
        assert reported.document["current"] is None
        assert reported.document["reason"] == reason
        await panel.message(f"{TOPIC}/availability", "offline", after=heard)
        await panel.message(f"{TOPIC}/status", "unknown", after=heard)
        await panel.message(f"{TOPIC}/occupied", "", after=heard)
        event = await panel.until(lambda a: a.topic == f"{TOPIC}/event", after=heard)
        assert event.document["event"] == "unknown"
        await stream.state("boardroom", status="unknown", reason=reason)
        assert (await web.room("boardroom"))["status"] == "unknown"
        assert await web.metric("placed_room_status", room="boardroom", status="unknown") == 1
        assert await web.metric("placed_room_occupied", room="boardroom") is None
        assert await web.metric("placed_rooms_stale", connection="contoso") == 1
        assert await web.metric("placed_connection_rooms_failing", connection="contoso", reason=reason) == 1
        assert (await web.room("library"))["status"] == "free"
        assert (await web.get("/readyz"))[0] == 200

        heard = len(panel.arrivals)
        faults.clear()
        await time.step(1)
        reported = await panel.until(
            lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "busy", after=heard
        )
        assert reported.document["stale"] is False
        assert reported.document["reason"] is None
        event = await panel.until(lambda a: a.topic == f"{TOPIC}/event", after=heard)
        assert event.document["event"] == "recovered"
        await panel.message(f"{TOPIC}/availability", "online", after=heard)
        await panel.message(f"{TOPIC}/occupied", "ON", after=heard)
        await stream.state("boardroom", status="busy", stale=False)
        assert (await web.room("boardroom"))["status"] == "busy"
        assert await web.metric("placed_room_occupied", room="boardroom") == 1
        assert await web.metric("placed_rooms_stale", connection="contoso") == 0
        assert not [a for a in panel.on(LIBRARY) if a.document["status"] != "free"]


async def test_while_nothing_is_readable_every_state_carries_its_valid_until(deployment: Deployment) -> None:
    deployment.configure(occupancy={"expire_after": "15m"})
    async with (
        deployment.daemon() as running,
        deployment.ways_out(running) as (panel, web),
        web.follow() as stream,
        deployment.outage(),
    ):
        before = await panel.message(f"{TOPIC}/state")
        deployment.clock.leap(600)
        await stream.state("boardroom", status="free", stale=True)
        deployment.clock.leap(400)
        await stream.state("boardroom", status="unknown", reason="unavailable")
        state = await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "unknown")
        for arrival in panel.on(f"{TOPIC}/state"):
            read, until = (
                datetime.fromisoformat(arrival.document[k]) for k in ("observed_at", "valid_until")
            )
            if arrival is not state:
                assert until - read <= timedelta(minutes=15)
        assert before.expiry is not None
        assert before.expiry <= 900
        assert (await web.get("/readyz"))[0] == 503
        assert (await web.get("/healthz"))[0] == 200
