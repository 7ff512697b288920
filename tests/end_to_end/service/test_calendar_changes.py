"""What people do to calendars reaches panels within one interval."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Subscriber
    from tests.support.status_endpoint import Stream, Web

INTERVAL = 1.0
SLACK = 0.5  # seconds for a busy machine, to ask the service, and to publish
STATE = "placed/rooms/boardroom/state"
EVENT = "placed/rooms/boardroom/event"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def everywhere(panel: Subscriber, web: Web, stream: Stream, **wanted: object) -> Any:
    """The room's state as soon as it has these values; it has to be the same on every way out, and soon."""
    begun, heard = asyncio.get_running_loop().time(), len(panel.arrivals)
    reported = await panel.until(
        lambda a: a.topic == STATE and all(a.document[k] == v for k, v in wanted.items()), after=heard
    )
    assert reported.at - begun < INTERVAL + SLACK
    streamed = await stream.state("boardroom", seq=reported.document["seq"])
    assert asyncio.get_running_loop().time() - begun < INTERVAL + SLACK
    room = await web.room("boardroom")
    assert room == streamed
    assert room.items() >= reported.document.items()
    return room


async def test_a_meeting_booked_moved_cancelled_or_deleted_is_published_everywhere_within_an_interval(
    deployment: Deployment,
) -> None:
    tenant, now = deployment.tenant, deployment.clock.now().replace(microsecond=0)
    async with (
        deployment.daemon() as running,
        deployment.ways_out(running) as (panel, web),
        web.follow() as stream,
    ):
        await panel.message(STATE)
        assert panel.latest[STATE].document["status"] == "free"

        meeting = tenant.book("boardroom", now - MINUTE, now + HOUR)
        room = await everywhere(panel, web, stream, status="busy")
        assert room["current"]["start"] == f"{now - MINUTE:%Y-%m-%dT%H:%M:%SZ}"
        event = await panel.message(EVENT)
        assert event.document["event"] == "started"
        assert event.retain is False

        heard = len(panel.arrivals)
        tenant.move(meeting, now - MINUTE, now + 2 * HOUR)
        later = f"{now + 2 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
        await everywhere(panel, web, stream, status="busy", busy_until=later)
        event = await panel.message(EVENT, after=heard)
        assert event.document["event"] == "moved"
        assert event.document["meeting"]["end"] == later
        assert event.document["previous"]["end"] == f"{now + HOUR:%Y-%m-%dT%H:%M:%SZ}"

        heard = len(panel.arrivals)
        tenant.cancel(meeting)
        await everywhere(panel, web, stream, status="free", current=None)
        event = await panel.message(EVENT, after=heard)
        assert event.document["event"] == "cancelled"

        heard = len(panel.arrivals)
        second = tenant.book("boardroom", now + HOUR, now + 2 * HOUR)
        await everywhere(panel, web, stream, free_until=f"{now + HOUR:%Y-%m-%dT%H:%M:%SZ}")
        tenant.delete(second)
        await everywhere(panel, web, stream, free_until=None, next=None)
        event = await panel.message(EVENT, after=heard)
        assert event.document["event"] == "cancelled"
        assert not panel.on("placed/rooms/library/event")


async def test_a_meeting_beside_another_is_a_conflict(deployment: Deployment) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now - MINUTE, now + HOUR)
    async with deployment.daemon(), deployment.listener() as panel:
        deployment.tenant.book("boardroom", now - MINUTE, now + 2 * HOUR)
        await panel.until(lambda a: a.topic == EVENT and a.document["event"] == "conflict")
        state = await panel.until(lambda a: a.topic == STATE and a.document["conflicts"] == 1)
        assert state.document["status"] == "busy"


async def test_the_first_publication_causes_no_events(deployment: Deployment) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now - MINUTE, now + HOUR)
    async with deployment.listener() as panel, deployment.daemon():
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "busy")
        await panel.caught_up()
        assert not panel.on(EVENT)


async def test_rooms_that_join_or_leave_the_group_come_and_go(deployment: Deployment) -> None:
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom"])
    deployment.tenant.restrict(deployment.connect(room_group=group.address), group)
    deployment.configure(polling={"interval": "1s", "rediscover": "1s"})
    async with (
        deployment.daemon() as running,
        deployment.ways_out(running) as (panel, web),
        web.follow() as stream,
    ):
        deployment.tenant.add_member(group, "library")
        await panel.until(lambda a: a.topic.endswith("library/state") and a.document["status"] == "free")
        await stream.state("library", status="free")

        deployment.tenant.remove_member(group, "boardroom")
        await panel.message(STATE, "")
        reported = await stream.until(lambda t: t.event == "removed")
        assert reported.data == {"room": "boardroom"}
        assert (await web.get("/api/v1/rooms/boardroom"))[0] == 404
        index = await panel.until(
            lambda a: a.topic == "placed/rooms" and "boardroom" not in a.text and "library" in a.text
        )
        assert [room["id"] for room in index.document["rooms"]] == ["library"]
        await panel.caught_up()
        assert not [topic for topic in panel.latest if "/boardroom/" in topic and "event" not in topic]
