"""What the broker refuses is repeated until it is taken or overtaken; what it does not hold is named."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.component.mqtt.test_publisher import becomes
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Subscriber
from tests.support.mqtt_proxy import SWALLOW, Proxy
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from placed.mqtt.publisher import Publisher
    from tests.support.mosquitto import Mosquitto


def publisher_behind(proxy: Proxy, publisher_setup: PublisherSetup, **more: Any) -> Publisher:
    return publisher_setup.publisher(proxy, **more)  # type: ignore[arg-type]


def topics(publisher: Publisher) -> set[str]:
    return {group.topics for group in publisher.undelivered}


async def all_published(publisher: Publisher) -> None:
    async with asyncio.timeout(DEADLINE):
        await publisher.published()


@pytest.mark.slow  # real time: refused messages are repeated after a second
@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x90, 0x97, 0x99])
async def test_a_change_that_was_refused_once_is_repeated(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, code: int
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await all_published(publisher)
        taken = publisher.messages_published
        with proxy.rule(code, "placed/rooms/library/#", times=5) as refusing:
            publisher_setup.book("library")
            await becomes(lambda: refusing.hits == 5)
            await becomes(lambda: "placed/rooms/library/state" in topics(publisher))
            state = await seen.until(
                lambda a: a.topic.endswith("library/state") and a.document["status"] == "busy"
            )
            await seen.message("placed/rooms/library/status", "busy")
            await seen.message("placed/rooms/library/occupied", "ON")
            started = await seen.message("placed/rooms/library/event")
        assert state.retain
        assert started.document["event"] == "started"
        await becomes(lambda: not publisher.undelivered)
        await all_published(publisher)
        assert publisher.last_error is None
        assert taken + 5 <= publisher.messages_published <= taken + 8  # with health, which reports it
        assert sum(publisher.messages_refused.values()) == 5
        assert publisher.reconnects == 0


@pytest.mark.slow  # real time: refused messages are repeated after a second
@pytest.mark.parametrize("code", [0x95, 0x9B, 0xA2, 0xFF])
async def test_a_change_is_published_though_it_was_refused_with_a_code_that_is_not_allowed_there(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, code: int
) -> None:
    """MQTT 5, 3.4.2.1, lists the codes of a PUBACK; mosquitto uses 0x95 (packet too large), too."""
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        with proxy.rule(code, "placed/rooms/library/state", times=1):
            publisher_setup.book("library")
            await seen.until(lambda a: a.topic.endswith("library/state") and a.document["status"] == "busy")
        await all_published(publisher)
        await becomes(lambda: publisher.undelivered == ())
        assert publisher.reconnects == 0


@pytest.mark.slow  # real time: refused messages are repeated after seconds
async def test_a_state_that_is_not_answered_is_owed_after_seconds(
    proxy: Proxy, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the connection is given up for it, since `/readyz` depends on it."""
    monkeypatch.setattr("placed.mqtt.message_delivery._OVERDUE", 0.2)
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher):
        await all_published(publisher)
        assert publisher.all_acknowledged
        with proxy.rule(SWALLOW, "placed/rooms/library/state"):
            publisher_setup.book("library")
            await becomes(lambda: not publisher.all_acknowledged)
            assert publisher.reconnects == 0
            assert publisher.connected
        with proxy.rule(SWALLOW, "placed/rooms/library/event"):
            await becomes(lambda: publisher.reconnects == 1 and publisher.all_acknowledged)
        await all_published(publisher)


@pytest.mark.slow  # real time: refused messages are repeated after seconds
async def test_what_is_repeated_is_the_latest(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/library/status") as seen:
        with proxy.rule(0x97, "placed/rooms/library/status") as refusing:
            publisher_setup.book("library")
            await becomes(lambda: refusing.hits >= 2)
            publisher_setup.read("library")
            hits = refusing.hits
            await becomes(lambda: refusing.hits > hits)
            await seen.caught_up()
            seen.arrivals.clear()
        await becomes(lambda: not publisher.undelivered)
        await seen.caught_up()
        assert {arrival.text for arrival in seen.arrivals} == {"free"}


async def test_what_overtakes_a_refused_message_settles_it(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placed.mqtt.refused_topic_schedule.FIRST_PAUSE", 3600.0)
    monkeypatch.setattr("placed.mqtt.refused_topic_schedule.LONGEST_PAUSE", 3600.0)
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/library/#") as seen:
        with proxy.rule(0x97, "placed/rooms/library/+") as refusing:
            publisher_setup.book("library")
            await becomes(lambda: refusing.hits == 5)
        publisher_setup.read("library")
        await seen.message("placed/rooms/library/status", "free", after=len(seen.arrivals))
        await becomes(lambda: topics(publisher) <= {"placed/rooms/library/event"})


@pytest.mark.slow  # real time: refused messages are repeated after a second
async def test_a_room_whose_clearing_was_refused_is_cleared(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await all_published(publisher)
        with proxy.rule(0x80, "placed/rooms/boardroom/+", times=6):
            publisher_setup.enroll("library")
            for leaf in ("state", "availability", "occupied", "status"):
                await seen.message(f"placed/rooms/boardroom/{leaf}", "")
        await becomes(lambda: not publisher.undelivered and not publisher._context.retained_rooms.to_clear)


@pytest.mark.slow  # real time: refused messages are repeated after seconds
@pytest.mark.parametrize(
    "topic", ["placed/bridge/state", "placed/bridge/info", "placed/bridge/health", "placed/rooms"]
)
async def test_refused_bridge_messages_are_repeated(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, topic: str
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with Subscriber(mosquitto, "placed/#") as seen:
        with proxy.rule(0x97, topic, times=2) as refusing:
            async with running(publisher, published=False):
                await seen.message(topic)
                await becomes(lambda: not publisher.undelivered)
                await all_published(publisher)
                assert refusing.hits == 2


@pytest.mark.slow  # real time: refused messages are repeated after a second
async def test_an_order_that_panels_have_to_forget_is_cleared_before_the_state(
    mosquitto: Mosquitto, proxy: Proxy
) -> None:
    async with running(PublisherSetup.furnished().publisher(mosquitto)):
        pass
    later = PublisherSetup(epoch=3)  # its clock is behind, and nothing was remembered
    later.enroll("boardroom", "library")
    later.book("boardroom")
    later.report()
    topic = "placed/rooms/boardroom/state"
    with proxy.rule(0x80, topic, times=1):
        async with Subscriber(mosquitto, topic) as seen, running(publisher_behind(proxy, later)):
            cleared = await seen.message(topic, "")
            after = seen.arrivals.index(cleared)
            state = await seen.until(lambda a: a.payload and a.document["epoch"] == 3, after=after)
            assert state.document["status"] == "busy"
