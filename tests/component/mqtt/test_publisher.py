"""Connecting, being cut off, coming back, leaving."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from placed.mqtt.client import timeouts
from placed.mqtt.publisher_context import Timing
from placed.mqtt.session import Session
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, cut, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import pytest

    from placed.mqtt.publisher import Publisher
    from tests.support.mosquitto import Mosquitto

ONLINE = '{"state":"online","epoch":7}'
OFFLINE = '{"state":"offline","epoch":7}'


async def becomes(condition: Callable[[], object]) -> None:
    """Waits until it is so; for what no message reports."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - the publisher has no event for each of its states
            await asyncio.sleep(0.01)


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
    monkeypatch.setattr(timeouts, "ANSWER", 0.5)
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher):
        mosquitto.freeze()
        publisher_setup.read("boardroom")
        await becomes(lambda: not publisher.connected)
        mosquitto.thaw()
        await becomes(lambda: publisher.connected)
        async with Subscriber(mosquitto, "placed/rooms/#") as seen:
            await seen.message("placed/rooms/boardroom/status", "free")


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
