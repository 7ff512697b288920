"""A room turns busy when its meeting starts and free when it ends, however seldom it is read."""

from __future__ import annotations

import asyncio
import statistics
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Subscriber

ROOMS = 20
PROMISED = 0.25  # seconds
WORDS = {"free": "OFF", "busy": "ON"}


def moment_of(arrival: float) -> datetime:
    """What the clock on the wall showed when something happened at a time on the event loop's clock."""
    ago = asyncio.get_running_loop().time() - arrival
    return datetime.now(UTC) - timedelta(seconds=ago)


async def latencies(panel: Subscriber, status: str, edge: datetime, *rooms: str) -> list[float]:
    """How long after the edge each room's new status was here, on both of its topics."""
    found = []
    for room in rooms:
        topic = f"placed/rooms/{room}"
        state = await panel.until(
            lambda a, topic=topic: a.topic == f"{topic}/state" and a.document["status"] == status  # type: ignore[misc]
        )
        word = await panel.message(f"{topic}/occupied", WORDS[status], after=panel.arrivals.index(state))
        assert datetime.fromisoformat(state.document["changed_at"]) >= edge
        found += [(moment_of(a.at) - edge).total_seconds() for a in (state, word)]
    return found


@pytest.mark.alone  # it measures lateness in real time
async def test_starts_and_ends_are_published_within_a_quarter_of_a_second_for_any_poll_interval(
    deployment: Deployment,
) -> None:
    """Nobody is asked meanwhile: the service is not even there."""
    rooms = [f"room-{number:02}" for number in range(ROOMS)]
    starting, ending = rooms[::2], rooms[1::2]
    edge = (deployment.clock.now() + timedelta(seconds=5)).replace(microsecond=0)
    hour = timedelta(hours=1)
    for room in rooms:
        deployment.tenant.add_room(room)
    for room in starting:
        deployment.tenant.book(room, edge, edge + hour)
    for room in ending:
        deployment.tenant.book(room, edge - hour, edge)
    deployment.connect(rooms=rooms)
    deployment.configure(polling={"interval": "10m"})
    async with deployment.daemon() as running, deployment.listener() as panel, deployment.outage():
        statements = [running.daemon.board.statement(room) for room in rooms]
        assert {s.occupancy.status for s in statements if s} == {"starting", "busy"}
        late = await latencies(panel, "busy", edge, *starting) + await latencies(panel, "free", edge, *ending)
    assert len(deployment.batches) == 1
    print(f"edges: p50 {statistics.median(late) * 1000:.0f} ms, max {max(late) * 1000:.0f} ms")  # noqa: T201
    assert min(late) >= 0
    assert max(late) < PROMISED


async def test_back_to_back_meetings_are_two_and_never_free_between(deployment: Deployment) -> None:
    edge = (deployment.clock.now() + timedelta(seconds=6)).replace(microsecond=0)
    hour = timedelta(hours=1)
    deployment.tenant.book("boardroom", edge - hour, edge)
    deployment.tenant.book("boardroom", edge, edge + hour)
    deployment.configure(polling={"interval": "10m"})
    async with deployment.daemon(), deployment.listener() as panel:
        topic = "placed/rooms/boardroom/event"
        await panel.until(lambda a: a.topic == topic and a.document["event"] == "ended")
        started = await panel.until(lambda a: a.topic == topic and a.document["event"] == "started")
        assert started.document["meeting"]["start"] == f"{edge:%Y-%m-%dT%H:%M:%SZ}"
        states = [a.document for a in panel.on("placed/rooms/boardroom/state")]
        assert {state["status"] for state in states} == {"busy"}
        assert {state["busy_until"] for state in states} == {f"{edge + hour:%Y-%m-%dT%H:%M:%SZ}"}


async def test_after_a_suspend_the_correct_state_is_published(deployment: Deployment) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now + timedelta(minutes=6), now + timedelta(minutes=30))
    deployment.configure(polling={"interval": "10m"})
    async with deployment.daemon(), deployment.listener() as panel:
        await panel.message("placed/rooms/boardroom/occupied", "OFF")
        deployment.clock.leap(400)
        await panel.message("placed/rooms/boardroom/occupied", "ON")
