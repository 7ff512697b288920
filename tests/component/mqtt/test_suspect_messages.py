"""A message at which the broker ends the connection is left out and named; the rest is published."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.domain.mqtt_delivery_status import Refused
from placed.mqtt.publisher_context import Timing
from placed.mqtt.suspect_messages import SELDOM
from tests.component.mqtt.test_publisher import becomes
from tests.component.mqtt.test_refused_topic_schedule import all_published, publisher_behind, topics
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Subscriber
from tests.support.mqtt_proxy import HANG_UP, SWALLOW, Proxy
from tests.support.publisher_setup import IMPATIENT, PublisherSetup, cut, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.mqtt.publisher import Publisher
    from tests.support.mosquitto import Arrival, Mosquitto


def large_setup(rooms: int = 20) -> PublisherSetup:
    """So many rooms that the index is much larger than any state."""
    publisher_setup = PublisherSetup()
    names = [f"room-{number}" for number in range(rooms)]
    publisher_setup.enroll(*names)
    for name in names:
        publisher_setup.read(name)
    publisher_setup.book("room-3")
    publisher_setup.report()
    return publisher_setup


@pytest.mark.parametrize(
    ("protocol", "limit"),
    [
        ("5", "message_size_limit 1500"),
        ("5", "max_packet_size 1500"),
        ("3.1.1", "max_packet_size 1500"),
    ],
)
async def test_an_index_beyond_a_limit_that_is_not_announced_is_left_out(
    start: Callable[..., Awaitable[Mosquitto]], protocol: str, limit: str
) -> None:
    broker, publisher_setup = await start(extra=[limit]), large_setup()
    publisher = publisher_setup.publisher(broker, protocol=protocol)
    with capture_logs() as log:
        async with running(publisher):
            async with Subscriber(broker, "placed/rooms/#") as seen:
                await seen.message("placed/rooms/room-3/status", "busy")
                await becomes(lambda: topics(publisher) == {"placed/rooms"})
                await becomes(lambda: publisher.connected and publisher.all_acknowledged)
                publisher_setup.book("room-4")
                await seen.message("placed/rooms/room-4/status", "busy")
            assert publisher.last_error is not None
            assert "placed/rooms" in publisher.last_error
            await becomes(lambda: any(e["event"] == "broker.refused_messages" for e in log))
    named = [entry for entry in log if entry["event"] == "broker.refused_messages"]
    assert [entry["topics"] for entry in named] == ["placed/rooms"]
    assert "size" in named[0]["remedy"] or "log" in named[0]["remedy"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_states_beyond_a_limit_that_is_not_announced_are_left_out(
    mosquitto: Mosquitto, proxy: Proxy, protocol: str
) -> None:
    publisher_setup = large_setup()
    publisher = publisher_behind(proxy, publisher_setup, protocol=protocol)
    with proxy.rule(HANG_UP, larger_than=300):
        async with running(publisher, published=False), Subscriber(mosquitto, "placed/rooms/#") as seen:
            await becomes(lambda: "placed/rooms/+/state" in topics(publisher) and publisher.all_acknowledged)
            for number in range(20):
                await seen.message(f"placed/rooms/room-{number}/status", "busy" if number == 3 else "free")
            assert not [a for a in seen.arrivals if a.topic.endswith("/state") and a.payload]
            assert publisher.counters.connections < 16


@pytest.mark.slow  # real time: what was left out is tried again after seconds
async def test_what_is_left_out_is_published_when_the_broker_takes_it(
    mosquitto: Mosquitto, proxy: Proxy
) -> None:
    publisher_setup = large_setup()
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher, published=False), Subscriber(mosquitto, "placed/#") as seen:
        with proxy.rule(HANG_UP, larger_than=300):
            await becomes(lambda: "placed/rooms/+/state" in topics(publisher) and publisher.all_acknowledged)
        await becomes(lambda: not publisher.undelivered)
        await all_published(publisher)
        await seen.message("placed/rooms/room-3/state", seen_state(publisher_setup, "room-3"))
        await seen.message("placed/rooms")


def seen_state(publisher_setup: PublisherSetup, room_id: str) -> str:
    statement = publisher_setup.board.statement(room_id)
    assert statement is not None
    return statement.document.decode()


@pytest.mark.parametrize("topic", ["placed/rooms/+/event", "placed/rooms/+/status", "placed/bridge/info"])
async def test_a_broker_that_ends_the_connection_where_it_forbids_a_topic(
    mosquitto: Mosquitto, proxy: Proxy, topic: str
) -> None:
    publisher_setup = large_setup(6)
    publisher = publisher_behind(proxy, publisher_setup)
    with proxy.rule(HANG_UP, topic, disconnect=0x87):
        async with running(publisher, published=False), Subscriber(mosquitto, "placed/rooms/#") as seen:
            await becomes(lambda: publisher.connected and publisher.all_acknowledged)
            for number in range(5):
                publisher_setup.read(f"room-{number}", publisher_setup.meeting())
                state = f"placed/rooms/room-{number}/state"
                await seen.until(partial(busy, state))
                await becomes(lambda: publisher.connected and publisher.all_acknowledged)
            await becomes(lambda: publisher.connected and publisher.all_acknowledged)
            async with asyncio.timeout(DEADLINE):
                while not publisher.undelivered:  # an event during a reconnect is not published: make another
                    publisher_setup.read(
                        "room-5",
                        *([] if busy_now(publisher_setup, "room-5") else [publisher_setup.meeting()]),
                    )
                    await asyncio.sleep(0.2)  # gives the event time to be refused; a lost one reports nothing
            (group,) = publisher.undelivered
            assert group.reason is Refused.CONNECTION_ENDED
            assert group.topics.startswith(topic[:12])


def busy_now(publisher_setup: PublisherSetup, room_id: str) -> bool:
    return '"busy"' in seen_state(publisher_setup, room_id)


def busy(topic: str, arrival: Arrival) -> bool:
    return arrival.topic == topic and b'"busy"' in arrival.payload


@pytest.mark.slow  # real time: placed connects again after a pause
@pytest.mark.parametrize(
    "reason", [0x89, 0x8B, 0x8D, 0x96, 0x9C], ids=["busy", "shutdown", "keep-alive", "rate", "other-server"]
)
async def test_a_broker_that_names_another_reason_blames_no_message(proxy: Proxy, reason: int) -> None:
    """As one that is shut down again and again while it gets the same message."""
    publisher = publisher_behind(proxy, large_setup(3), timing=IMPATIENT)
    with proxy.rule(HANG_UP, "placed/rooms/room-1/occupied", disconnect=reason, times=4) as rule:
        with capture_logs() as log:
            async with running(publisher):
                await all_published(publisher)
        assert rule.hits == 4
    assert [entry for entry in log if entry["event"] == "broker.refused_messages"] == []


@pytest.mark.slow  # real time: an acknowledgement is waited for
async def test_a_message_that_is_never_acknowledged_is_left_out(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placed.mqtt.client.timeouts.ANSWER", 0.3)
    publisher_setup = large_setup()
    publisher = publisher_behind(proxy, publisher_setup)
    with proxy.rule(SWALLOW, "placed/rooms"):
        async with running(publisher):
            await becomes(lambda: topics(publisher) == {"placed/rooms"} and publisher.all_acknowledged)


async def test_a_line_that_is_cut_again_and_again_is_blamed_on_no_message(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto, timing=Timing(first_pause=0.01, longest_pause=0.02))
    async with running(publisher):
        for number in range(5):
            publisher_setup.book("library")
            publisher_setup.read("library")
            cut(publisher)
            await becomes(partial(came_back, publisher, number))
        await all_published(publisher)
        await becomes(lambda: not publisher.undelivered)
        async with Subscriber(mosquitto, "placed/rooms/library/status") as seen:
            await seen.message("placed/rooms/library/status", "free")


def came_back(publisher: Publisher, times: int) -> bool:
    return publisher.reconnects > times and publisher.connected


async def test_a_state_that_grows_too_large_later_does_not_stay_as_it_was(
    mosquitto: Mosquitto, proxy: Proxy
) -> None:
    """Rather nothing than an old state that is believed."""
    publisher_setup = large_setup(3)
    publisher = publisher_behind(proxy, publisher_setup, timing=IMPATIENT)
    topic = "placed/rooms/room-1/state"
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await all_published(publisher)
        with proxy.rule(HANG_UP, topic, larger_than=150):
            publisher_setup.book("room-1")
            await seen.message(topic, "", after=0)
            await becomes(lambda: topics(publisher) == {topic} and publisher.all_acknowledged)
            await seen.message("placed/rooms/room-1/status", "busy")


@pytest.mark.alone  # the broker of this test goes by how many messages come in how short a time
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_broker_that_ends_the_connection_under_load_blames_no_message(
    mosquitto: Mosquitto, proxy: Proxy, protocol: str
) -> None:
    """It takes some messages at once, and each that comes a while after another."""
    publisher_setup = large_setup(50)
    publisher = publisher_behind(proxy, publisher_setup, protocol=protocol)
    with capture_logs() as log, proxy.rule(HANG_UP, burst=160):
        async with running(publisher), Subscriber(mosquitto, "placed/rooms/+/status") as seen:
            await all_published(publisher)
            await seen.caught_up()
            assert len(seen.latest) == 50
            assert publisher.reconnects > 0
            assert publisher.undelivered == ()
    assert not [entry for entry in log if entry["event"] == "broker.refused_messages"]


@pytest.mark.slow  # real time: placed connects again after pauses of seconds
@pytest.mark.parametrize("rule", [HANG_UP, SWALLOW])
async def test_a_broker_that_takes_nothing_on_the_topic_of_a_state_keeps_the_connection(
    mosquitto: Mosquitto, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, rule: Any
) -> None:
    """Nor a message that clears it: the other rooms are published over one connection that stays."""
    monkeypatch.setattr("placed.mqtt.client.timeouts.ANSWER", 0.5)
    monkeypatch.setattr("placed.mqtt.suspect_messages.SOON", 0.1)
    publisher_setup = large_setup(3)
    publisher = publisher_behind(proxy, publisher_setup, timing=IMPATIENT)
    topic = "placed/rooms/room-1/state"
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await all_published(publisher)
        with proxy.rule(rule, topic) as applied:
            publisher_setup.book("room-1")
            await becomes(lambda: topics(publisher) == {topic} and publisher.all_acknowledged)
            # It ended when the state was suspected, blamed, cleared and tried again.
            await becomes(
                lambda: publisher._context.disconnect_causes._pause == SELDOM and publisher.all_acknowledged
            )
            trials = applied.hits  # only these end the connection
            for turn in range(10):
                before = len(seen.arrivals)
                (publisher_setup.read if turn % 2 else publisher_setup.book)("room-2")
                word = "free" if turn % 2 else "busy"
                await seen.message("placed/rooms/room-2/status", word, after=before)
                await asyncio.sleep(0.1)  # real time: a trial that comes soon would come meanwhile
            assert applied.hits == trials
            assert topics(publisher) == {topic}
