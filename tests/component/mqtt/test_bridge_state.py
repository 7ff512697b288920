"""`bridge/state`: `online`, `offline`, the will, and a takeover by another client."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.exit_errors import TakenOver
from placed.mqtt.publisher_context import Timing
from tests.component.mqtt.test_publisher import OFFLINE, ONLINE, becomes, fake_broker
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, cut, running

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto


async def test_a_clean_stop_publishes_offline_at_once(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    async with Subscriber(mosquitto, "placed/bridge/state") as seen:
        async with running(publisher):
            await seen.message("placed/bridge/state", ONLINE)
        last = await seen.message("placed/bridge/state", OFFLINE)
        assert last.retain
        assert last.expiry is None
    assert not publisher.connected
    await mosquitto.wait_for_line("Client placed disconnected.")


@pytest.mark.slow  # real time: a will is delayed by whole seconds
async def test_the_broker_publishes_the_will_when_the_daemon_dies(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    delay = 1
    publisher = publisher_setup.publisher(mosquitto, timing=Timing(will_delay=delay, first_pause=60))
    async with Subscriber(mosquitto, "placed/bridge/state") as seen, running(publisher):
        await seen.message("placed/bridge/state", ONLINE)
        cut(publisher)
        died = asyncio.get_running_loop().time()
        will = await seen.message("placed/bridge/state", OFFLINE)
    assert will.retain
    assert will.at - died >= delay - 1  # mosquitto counts in whole seconds
    assert will.properties["ContentType"] == "application/json"


@pytest.mark.slow  # real time: it waits for longer than the will's delay
async def test_a_reconnect_within_the_will_delay_suppresses_the_will(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    delay = 2
    timing = Timing(will_delay=delay, first_pause=0.05, online=0.2)
    publisher = publisher_setup.publisher(mosquitto, timing=timing)
    async with Subscriber(mosquitto, "placed/bridge/state") as seen, running(publisher):
        cut(publisher)
        until = asyncio.get_running_loop().time() + delay + 2
        await seen.until(lambda a: a.at > until)
        assert publisher.reconnects == 1
        assert {arrival.text for arrival in seen.arrivals} == {ONLINE}


@pytest.mark.slow  # real time: a will is delayed by whole seconds
async def test_a_pause_leads_to_offline_only_without_a_reconnect(mosquitto: Mosquitto) -> None:
    delay = 1
    async with Subscriber(mosquitto, "placed/bridge/state") as seen:
        for start in range(2):
            publisher = PublisherSetup(epoch=start).publisher(mosquitto, timing=Timing(will_delay=delay))
            async with running(publisher):
                publisher.stop_with_will()
        left = asyncio.get_running_loop().time()
        offline = await seen.until(lambda a: "offline" in a.text)
    assert offline.at - left >= delay - 1  # mosquitto counts in whole seconds
    assert offline.document["epoch"] == 1  # of the one that did not come back
    assert [a.document["state"] for a in seen.arrivals] == ["online", "online", "offline"]


async def test_without_a_will_delay_a_pause_publishes_offline(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto, protocol="3.1.1")
    async with Subscriber(mosquitto, "placed/bridge/state") as seen:
        async with running(publisher):
            publisher.stop_with_will()
        await seen.message("placed/bridge/state", OFFLINE)


async def test_online_is_published_again_before_it_expires(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto, timing=Timing(online=0.1, health=0.1))
    async with Subscriber(mosquitto, "placed/bridge/#") as seen, running(publisher):
        await seen.until(lambda _: len(seen.on("placed/bridge/state")) >= 3)
        await seen.until(lambda _: len(seen.on("placed/bridge/health")) >= 3)


@pytest.mark.parametrize("hours", [8, -1])
async def test_online_is_published_at_once_after_a_clock_jump(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, hours: int
) -> None:
    """After a suspend panels have received nothing for long, and the messages have expired."""
    publisher = publisher_setup.publisher(mosquitto, timing=Timing(online=3600))
    async with Subscriber(mosquitto, "placed/bridge/state") as seen, running(publisher):
        await seen.message("placed/bridge/state", ONLINE)
        publisher_setup.ahead += timedelta(hours=hours)
        await seen.message("placed/bridge/state", ONLINE, after=len(seen.arrivals))


CONNACK = bytes.fromhex("2003000000")
SESSION_TAKEN_OVER = bytes.fromhex("e0028e00")


async def test_it_stops_at_a_takeover_reported_by_the_broker(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with fake_broker(CONNACK, SESSION_TAKEN_OVER) as (port, _):
        publisher = publisher_setup.publisher(mosquitto, url=f"mqtt://{HOST}:{port}", base_topic="placed/hq")
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(TakenOver, match=r"^mqtt\.client_id: .*'placed-hq'"):
                await publisher.run()
    assert not publisher.connected


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_it_stops_at_a_takeover_not_reported_by_the_broker(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, protocol: str
) -> None:
    """As mosquitto before 2.0.15, and everybody in 3.1.1: the later one stays, and is online in the end."""
    timing = Timing(first_pause=0.2)
    first = publisher_setup.publisher(mosquitto, protocol=protocol, timing=timing)
    later = PublisherSetup(epoch=3).publisher(mosquitto, protocol=protocol, timing=timing)
    task = asyncio.create_task(first.run())
    async with asyncio.timeout(DEADLINE):
        await first.first_published.wait()
        async with running(later), Subscriber(mosquitto, "placed/bridge/state") as seen:
            with pytest.raises(TakenOver):
                await task
            await becomes(lambda: later.counters.online == 2)
            await seen.caught_up()
            assert seen.latest["placed/bridge/state"].document == {"state": "online", "epoch": 3}


async def test_a_clone_with_the_same_epoch_is_recognised(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    timing = Timing(first_pause=0.2)
    first, clone = (
        publisher_setup.publisher(mosquitto, timing=timing),
        publisher_setup.publisher(mosquitto, timing=timing),
    )
    task = asyncio.create_task(first.run())
    async with asyncio.timeout(DEADLINE):
        await first.first_published.wait()
        async with running(clone):
            with pytest.raises(TakenOver):
                await task


async def test_a_handover_publishes_no_offline(mosquitto: Mosquitto, publisher_setup: PublisherSetup) -> None:
    first, second = (publisher_setup.publisher(mosquitto, timing=Timing(will_delay=0)) for _ in range(2))
    async with Subscriber(mosquitto, "placed/bridge/state") as seen:
        async with running(first):
            first.stop_without_offline()
        await mosquitto.wait_for_line("Client placed disconnected.")
        async with running(second):
            await seen.caught_up()
            assert {arrival.text for arrival in seen.arrivals} == {ONLINE}
