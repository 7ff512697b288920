"""With the example access list for actions, a panel asks for what the list allows, in its own room alone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from placed.doctor.broker_checks import check_broker
from placed.driver import Verdict
from placed.mqtt.client_options import Login
from placed.mqtt.command_subscription import CommandSubscription
from placed.settings.output_settings import Mqtt
from tests.component.mqtt.test_command_subscription import command
from tests.security.example_mosquitto import Guarded
from tests.support.deadlines import DEADLINE
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.publisher_setup import IMPATIENT, PublisherSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ROOM, OTHER = "placed/rooms/boardroom", "placed/rooms/library"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Guarded]:
    broker = Guarded(tmp_path / "mosquitto", "placed-actions.acl")
    await broker.start()
    yield broker
    await broker.kill()


@asynccontextmanager
async def taking_commands(broker: Guarded) -> AsyncIterator[HandSink]:
    """The daemon's login takes commands."""
    sink = HandSink(offers={"boardroom": EVERYTHING, "library": EVERYTHING})
    login = Login.of(Mqtt.model_validate(broker.settings()))
    subscription = CommandSubscription(login, sink, PublisherSetup.furnished().board, IMPATIENT)
    task = asyncio.create_task(subscription.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await subscription.connected.wait()
        yield sink
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize(
    ("login", "allowed"),
    [
        ("boardroom", {f"{ROOM}/command/check-in", f"{ROOM}/command/book"}),
        ("lobby", {f"{ROOM}/command/book", f"{OTHER}/command/book"}),
    ],
)
async def test_a_login_sends_the_commands_that_its_list_allows(
    broker: Guarded, login: str, allowed: set[str]
) -> None:
    actions = ("check-in", "end", "extend", "book")
    topics = {f"{room}/command/{action}" for room in (ROOM, OTHER) for action in actions}
    forged = [f"{ROOM}/state", f"{ROOM}/response"]
    own = f"placed/responses/{login}"
    async with taking_commands(broker) as sink, broker.reader(login, "#") as panel:
        for topic in (*sorted(topics), *forged, f"{ROOM}/command/book"):  # the last one ends the wait
            await panel.publish(topic, command(str(uuid4())), response_topic=own)
        await panel.until(lambda _: len(panel.on(own)) == len(allowed) + 1)
        assert {f"placed/rooms/{one.room}/command/{one.action}" for one in sink.commands} == allowed
        assert len(sink.commands) == len(allowed) + 1
        assert [a.topic for a in panel.arrivals if a.topic in forged] == []


async def test_a_panel_hears_no_replies_to_others(broker: Guarded) -> None:
    async with taking_commands(broker), broker.reader("boardroom", "#") as panel:
        async with broker.reader("lobby", "placed/responses/#") as lobby:
            await lobby.publish(f"{OTHER}/command/book", command("8e03978e-40d5-43e8-bc93-6894a57f9324"))
            for topic in ("placed/responses/lobby", "placed/responses/lobby/3"):
                await lobby.publish(f"{OTHER}/command/book", command(str(uuid4())), response_topic=topic)
            await lobby.message("placed/responses/lobby/3")
        await panel.publish(f"{ROOM}/command/book", command(str(uuid4())))
        await panel.message(f"{ROOM}/response")
        assert {a.topic for a in panel.arrivals} == {f"{ROOM}/response"}


async def test_the_daemon_may_do_all_it_needs_with_this_list(broker: Guarded) -> None:
    found = await check_broker(Mqtt.model_validate(broker.settings()))
    assert {finding.verdict for finding in found} == {Verdict.GOOD}
