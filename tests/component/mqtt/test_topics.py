from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto

MOMENT = datetime(2026, 1, 8, 12, tzinfo=UTC)


async def test_everything_is_there_retained_and_with_its_expiry(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)), Subscriber(mosquitto, "placed/#") as late:
        await late.caught_up()
        reported = late.latest
    assert {topic: arrival.retain for topic, arrival in reported.items()} == dict.fromkeys(
        [
            "placed/bridge/state",
            "placed/bridge/info",
            "placed/bridge/health",
            "placed/rooms",
            *(f"placed/rooms/{r}/{t}" for r in ("boardroom", "library") for t in _RETAINED),
        ],
        True,
    )
    assert reported["placed/bridge/state"].document == {"state": "online", "epoch": 7}
    assert 80 <= (reported["placed/bridge/state"].expiry or 0) <= 90
    assert reported["placed/bridge/info"].expiry is None
    assert reported["placed/rooms"].expiry is None
    assert 170 <= (reported["placed/bridge/health"].expiry or 0) <= 180
    for topic, arrival in reported.items():
        if topic.startswith("placed/rooms/"):
            assert 880 <= (arrival.expiry or 0) <= 900


_RETAINED = ("state", "availability", "occupied", "status")


async def test_a_room_is_published_as_document_and_as_plain_text(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto)),
        Subscriber(mosquitto, "placed/rooms/+/+") as late,
    ):
        await late.caught_up()
    statement = publisher_setup.board.statement("boardroom")
    assert statement is not None
    reported = {topic.removeprefix("placed/rooms/"): a for topic, a in late.latest.items()}
    assert reported["boardroom/state"].payload == statement.document
    assert [reported[f"boardroom/{t}"].text for t in _RETAINED[1:]] == ["online", "ON", "busy"]
    assert [reported[f"library/{t}"].text for t in _RETAINED[1:]] == ["online", "OFF", "free"]
    assert reported["boardroom/state"].properties["ContentType"] == "application/json"
    assert reported["boardroom/status"].properties["ContentType"] == "text/plain"
    assert {a.properties["PayloadFormatIndicator"] for a in reported.values()} == {1}


async def test_the_bridge_publishes_info_and_health(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)), Subscriber(mosquitto, "placed/#") as late:
        await late.caught_up()
    assert late.latest["placed/bridge/info"].document == {
        "schema": 1,
        "version": "0.1",
        "epoch": 7,
        "connections": ["contoso"],
        "rooms": 2,
        "freshness_budget": 40.0,
    }
    health = late.latest["placed/bridge/health"].document
    assert (health["schema"], health["epoch"]) == (1, 7)
    assert health["connections"] == [publisher_setup.board.health["contoso"].document()]
    assert late.latest["placed/rooms"].document["rooms"][0] == {
        "id": "boardroom",
        "name": "Boardroom",
        "connection": "contoso",
        "building": "HQ",
        "floor": "2",
        "capacity": 8,
        "presence": False,
        "topics": {
            t: f"placed/rooms/boardroom/{t}" for t in ("state", "availability", "event", "occupied", "status")
        },
    }


async def test_plain_topics_can_be_left_out(mosquitto: Mosquitto, publisher_setup: PublisherSetup) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto, base_topic="placed/hq", plain_topics=False)),
        Subscriber(mosquitto, "placed/#") as late,
    ):
        await late.caught_up()
    assert {t for t in late.latest if "boardroom" in t} == {
        "placed/hq/rooms/boardroom/state",
        "placed/hq/rooms/boardroom/availability",
    }


async def test_an_unknown_room_is_neither_on_nor_off(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await seen.message("placed/rooms/boardroom/occupied", "ON")
        publisher_setup.board.forget("contoso", Reason.REFUSED)
        await seen.message("placed/rooms/boardroom/status", "unknown")
        await seen.message("placed/rooms/boardroom/availability", "offline")
        await seen.message("placed/rooms/boardroom/occupied", "")
        async with Subscriber(mosquitto, "placed/rooms/boardroom/#") as late:
            await late.caught_up()
        assert "placed/rooms/boardroom/occupied" not in late.latest


class StoppedClockSetup(PublisherSetup):
    """Its clock stands still, so that a statement keeps its whole time until it is published."""

    def now(self) -> datetime:
        return MOMENT


async def test_what_is_not_renewed_expires_on_the_broker(mosquitto: Mosquitto) -> None:
    publisher_setup = StoppedClockSetup(expire_after=1)
    publisher_setup.enroll("boardroom")
    publisher_setup.read("boardroom")
    async with (
        Subscriber(mosquitto, "placed/rooms/+/+") as early,
        running(publisher_setup.publisher(mosquitto)),
        asyncio.timeout(DEADLINE),
    ):
        state = await early.message("placed/rooms/boardroom/state")
        assert state.expiry == 1
        kept = True
        while kept:  # a second has to pass on the broker; every question takes some milliseconds
            async with Subscriber(mosquitto, "placed/rooms/+/+") as late:
                await late.caught_up()
            kept = bool(late.latest)


async def test_an_expired_state_is_not_published(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher_setup.ahead = timedelta(hours=1)
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/+/+") as late:
        await late.caught_up()
    assert not late.latest
    assert publisher.counters.expired == 8


async def test_events_are_published_once_and_not_retained(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto)),
        Subscriber(mosquitto, "placed/rooms/+/event") as seen,
    ):
        start = publisher_setup.now() + timedelta(hours=2)
        publisher_setup.read(
            "library",
            publisher_setup.meeting("n", title="Secret", start=start, end=start + timedelta(hours=1)),
        )
        publisher_setup.read("library")
        event = await seen.message("placed/rooms/library/event")
        assert not event.retain
        assert event.expiry == 60
        statement = publisher_setup.board.statement("library")
        assert statement is not None
        assert event.document == {
            "schema": 1,
            "room": "library",
            "event": "cancelled",
            "at": event.document["at"],
            "meeting": event.document["meeting"],
            "previous": None,
            "epoch": 7,
            "seq": statement.seq,
        }
        assert event.document["meeting"]["title"] is None
        async with Subscriber(mosquitto, "placed/rooms/+/event") as late:
            await late.caught_up()
        assert not late.arrivals


async def test_the_event_of_a_moved_meeting_carries_its_former_time(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto)),
        Subscriber(mosquitto, "placed/rooms/+/event") as seen,
    ):
        start, end = publisher_setup.now() + timedelta(hours=2), publisher_setup.now() + timedelta(hours=3)
        publisher_setup.read("library", publisher_setup.meeting("n", start=start, end=end))
        publisher_setup.read("library", publisher_setup.meeting("n", start=end, end=end + timedelta(hours=1)))
        event = await seen.message("placed/rooms/library/event")
    assert event.document["event"] == "moved"
    assert event.document["previous"]["end"] == event.document["meeting"]["start"]


async def test_an_older_protocol_gets_the_same_without_expiry(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto, protocol="3.1.1")),
        Subscriber(mosquitto, "placed/#") as late,
    ):
        await late.caught_up()
    assert late.latest["placed/rooms/boardroom/occupied"].text == "ON"
    assert {arrival.expiry for arrival in late.arrivals} == {None}
    assert len(late.latest) == 12
