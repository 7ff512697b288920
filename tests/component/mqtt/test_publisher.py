"""Connecting, being cut off, coming back, leaving."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.exit_errors import TakenOver
from placed.mqtt import client
from placed.mqtt.client import BrokerClient
from placed.mqtt.session import Session
from placed.mqtt.session_context import Timing
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, cut, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from placed.mqtt.publisher import Publisher
    from tests.support.mosquitto import Mosquitto

ONLINE = '{"state":"online","epoch":7}'
OFFLINE = '{"state":"offline","epoch":7}'


async def becomes(condition: Callable[[], object]) -> None:
    """Waits until it is so; for what no message tells of."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - the publisher has no event for each of its states
            await asyncio.sleep(0.01)


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


async def test_it_comes_back_to_a_broker_that_lost_everything(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    with capture_logs() as log:
        async with running(publisher):
            await mosquitto.kill()
            await becomes(lambda: not publisher.connected)
            assert publisher.last_error
            await mosquitto.start()
            async with Subscriber(mosquitto, "placed/#") as seen:
                for topic in ("bridge/state", "bridge/info", "bridge/health", "rooms"):
                    await seen.message(f"placed/{topic}")
                for topic in setup_topics("boardroom", "library"):
                    await seen.message(topic)
            assert publisher.connected
            assert publisher.reconnects == 1
            assert publisher.last_error is None
    assert [entry["event"] for entry in log] == [
        "broker.connected",
        "broker.was_lost",
        "broker.connected",
        "broker.was_left",
    ]


def setup_topics(*rooms: str) -> list[str]:
    return [f"placed/rooms/{r}/{t}" for r in rooms for t in ("state", "availability", "occupied", "status")]


async def test_after_a_reconnect_only_the_latest_state_is_published(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher):
        await mosquitto.kill()
        await becomes(lambda: not publisher.connected)
        publisher_setup.read("boardroom")
        publisher_setup.book("library")
        publisher_setup.read("library")
        publisher_setup.book("library")
        assert publisher.waiting == 0
        await mosquitto.start()
        async with Subscriber(mosquitto, "placed/#") as seen:
            await seen.message("placed/rooms")
            await seen.message("placed/rooms/library/status", "busy")
            await seen.message("placed/rooms/boardroom/status", "free")
            await seen.caught_up()
            assert len(seen.on("placed/rooms/library/status")) == 1
            assert not seen.on("placed/rooms/library/event")


async def test_a_broker_that_is_down_at_first_is_waited_for(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await mosquitto.stop()
    publisher = publisher_setup.publisher(mosquitto)
    with capture_logs() as log:
        async with running(publisher, published=False):
            await becomes(lambda: publisher.last_error)
            assert "refused" in (publisher.last_error or "")
            await mosquitto.start()
            async with asyncio.timeout(DEADLINE):
                await publisher.first_published.wait()
    assert [entry["event"] for entry in log] == [
        "broker.was_not_reached",
        "broker.connected",
        "broker.was_left",
    ]


async def test_an_unresolved_broker_name_is_retried(
    publisher_setup: PublisherSetup, mosquitto: Mosquitto
) -> None:
    publisher = publisher_setup.publisher(mosquitto, url="mqtt://nowhere.invalid")
    async with running(publisher, published=False) as task:
        await becomes(lambda: publisher.last_error)
        assert not task.done()


async def test_an_address_that_never_answers_is_left_in_time(
    publisher_setup: PublisherSetup, mosquitto: Mosquitto
) -> None:
    async with fake_broker() as (port, asked):
        task = asyncio.create_task(publisher_setup.publisher(mosquitto, url=f"mqtt://{HOST}:{port}").run())
        async with asyncio.timeout(DEADLINE):
            await asked.wait()
            began = asyncio.get_running_loop().time()
            task.cancel()
            await asyncio.wait([task])
        assert asyncio.get_running_loop().time() - began < 4
    assert task.cancelled()


@asynccontextmanager
async def fake_broker(*answers: bytes) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Answers whatever is sent with one answer after the other, and hangs up when they do."""
    asked = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering = iter(answers)
        with suppress(ConnectionError):
            while await reader.read(1000):
                asked.set()
                writer.write(next(answering, b""))
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
        server.close()
        await becomes(lambda: len(asyncio.all_tasks()) <= 3)


async def test_a_broker_that_stopped_answering_is_noticed(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ANSWER", 0.5)
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher):
        mosquitto.freeze()
        publisher_setup.read("boardroom")
        await becomes(lambda: not publisher.connected)
        mosquitto.thaw()
        await becomes(lambda: publisher.connected)
        async with Subscriber(mosquitto, "placed/rooms/#") as seen:
            await seen.message("placed/rooms/boardroom/status", "free")


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
    """After a suspend panels have not heard of it for long, and what it said has expired."""
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


async def test_health_is_published_when_it_changes(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    from placed.domain.connection_health import ConnectionState  # noqa: PLC0415

    async with (
        running(publisher_setup.publisher(mosquitto)),
        Subscriber(mosquitto, "placed/bridge/health") as seen,
    ):
        publisher_setup.report(state=ConnectionState.FAILING)
        published_before = await seen.until(lambda a: a.document["connections"][0]["state"] == "failing")
        assert published_before.retain


async def test_several_health_changes_are_published_together(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto, timing=Timing(debounce=0.3))
    async with running(publisher), Subscriber(mosquitto, "placed/bridge/health") as seen:
        await seen.caught_up()
        for _ in range(20):
            publisher_setup.report()
            await seen.caught_up()
        before = len(seen.arrivals)
        assert before <= 3
        await seen.until(lambda _: len(seen.arrivals) > 1)


async def test_a_socket_that_was_closed_meanwhile_gets_no_writer() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    client = BrokerClient(hostname="127.0.0.1")
    with socket.socket() as closed:
        client._on_socket_register_write(client._client, None, closed)
    await asyncio.sleep(0)
    assert complaints == []


async def test_nothing_is_left_behind(mosquitto: Mosquitto, publisher_setup: PublisherSetup) -> None:
    """No task, no socket, no exception that nobody looked at."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher):
        await mosquitto.kill()
        await becomes(lambda: not publisher.connected)
        await mosquitto.start()
        await becomes(lambda: publisher.connected)
        cut(publisher)
        await becomes(lambda: not publisher.connected)
    await becomes(lambda: asyncio.all_tasks() <= before | {mosquitto._reading})
    gc.collect()
    assert complaints == []


def test_it_can_be_cancelled_at_any_moment(publisher_setup: PublisherSetup, tmp_path: object) -> None:
    """However far it came: asyncio's own runner finds nothing to complain about."""
    from pathlib import Path  # noqa: PLC0415

    from tests.support.mosquitto import Mosquitto  # noqa: PLC0415

    assert isinstance(tmp_path, Path)

    async def run_repeatedly(publisher: Publisher, turns: int) -> None:
        task = asyncio.create_task(publisher.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait([task])
        assert task.cancelled()

    async def main() -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        broker = Mosquitto(tmp_path / "mosquitto")
        await broker.start()
        for turns in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233):
            await run_repeatedly(publisher_setup.publisher(broker), turns)
        await broker.kill()
        gc.collect()
        assert complaints == []

    asyncio.run(main())


async def test_a_handover_publishes_no_offline(mosquitto: Mosquitto, publisher_setup: PublisherSetup) -> None:
    first, second = (publisher_setup.publisher(mosquitto, timing=Timing(will_delay=0)) for _ in range(2))
    async with Subscriber(mosquitto, "placed/bridge/state") as seen:
        async with running(first):
            first.stop_without_offline()
        await mosquitto.wait_for_line("Client placed disconnected.")
        async with running(second):
            await seen.caught_up()
            assert {arrival.text for arrival in seen.arrivals} == {ONLINE}


async def test_a_task_that_ignores_its_cancellation_does_not_delay_the_stop_for_long(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = Session.serve

    async def ignores_one_cancellation(self: Session) -> None:
        with suppress(asyncio.CancelledError):
            await serve(self)
        await asyncio.sleep(3600)

    monkeypatch.setattr(Session, "serve", ignores_one_cancellation)
    publisher = publisher_setup.publisher(mosquitto, timing=Timing(stop_timeout=0.2))
    async with Subscriber(mosquitto, "placed/bridge/state") as seen:
        async with running(publisher):
            stopped_at = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stopped_at < 5
        await seen.message("placed/bridge/state", OFFLINE)
    assert not publisher.connected


async def test_the_end_of_the_publication_can_be_awaited(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher), asyncio.timeout(DEADLINE):
        publisher_setup.book("library")
        await publisher.published()
        async with Subscriber(mosquitto, "placed/rooms/library/status") as late:
            await late.caught_up()
        assert late.latest["placed/rooms/library/status"].text == "busy"


async def test_messages_sent_before_a_disconnect_do_not_count_as_acknowledged(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher), asyncio.timeout(DEADLINE):
        await publisher.published()
        await mosquitto.kill()
        await becomes(lambda: not publisher.connected)
        publisher_setup.book("library")
        waiting = asyncio.create_task(publisher.published())
        await asyncio.sleep(0)
        assert not waiting.done()
        await mosquitto.start()
        await waiting


async def test_states_of_a_run_with_a_greater_epoch_are_cleared_first(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """The clock was set back, and nothing was remembered."""
    async with running(publisher_setup.publisher(mosquitto)):
        pass
    later = PublisherSetup(epoch=publisher_setup.board.epoch - 1)
    later.enroll("boardroom")
    later.report()
    async with Subscriber(mosquitto, "placed/rooms/boardroom/state") as panel:
        await panel.caught_up()
        published_before = len(panel.arrivals)
        async with running(later.publisher(mosquitto)):
            await panel.message("placed/rooms/boardroom/state", "", after=published_before)
            state = await panel.until(lambda arrival: arrival.payload, after=published_before)
    assert state.document["epoch"] == later.board.epoch
    assert [bool(arrival.payload) for arrival in panel.arrivals[published_before:]][:2] == [False, True]
