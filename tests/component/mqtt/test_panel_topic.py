"""Panels show over MQTT that they are there, and what is not known any more does not count."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from placed.domain.panel_signs import NoSigns
from placed.mqtt.client_options import Login
from placed.mqtt.command_subscription import CommandSubscription
from placed.settings.output_settings import Mqtt
from tests.support.deadlines import DEADLINE
from tests.support.hand_sink import HandSink
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import IMPATIENT, PublisherSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed.mqtt.client.connect_options import ProtocolVersion
    from tests.support.mosquitto import Mosquitto

TOPIC = "placed/rooms/boardroom/panel"


class Signs(NoSigns):
    """Keeps which panels are there."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool] | None] = []  # None where the broker is lost
        self._news = asyncio.Event()

    def panel_is_connected(self, room_id: str, *, connected: bool) -> None:
        self.heard.append((room_id, connected))
        self._news.set()

    def broker_is_lost(self) -> None:
        self.heard.append(None)
        self._news.set()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.heard) < number:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def following(broker: Mosquitto, protocol: ProtocolVersion = "5") -> AsyncIterator[Signs]:
    signs = Signs()
    login = Login.of(Mqtt(url=broker.url, protocol=protocol))
    board = PublisherSetup.furnished().board
    subscription = CommandSubscription(login, HandSink(), board, IMPATIENT, signs=signs)
    task = asyncio.create_task(subscription.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await subscription.connected.wait()
        yield signs
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_panel_is_there_while_its_topic_is_online(
    mosquitto: Mosquitto, protocol: ProtocolVersion
) -> None:
    async with Subscriber(mosquitto) as panel:
        await panel.publish(TOPIC, b"online", retain=True)  # before anybody follows it
        async with following(mosquitto, protocol) as signs:
            await signs.until(1)
            await panel.publish(TOPIC, b"offline", retain=True)
            await panel.publish(TOPIC, b"ONLINE\n", retain=True)
            await panel.publish(TOPIC, b'{"state":"online"}', retain=True)
            await panel.publish("placed/rooms/Not A Room/panel", b"online")
            await panel.publish("placed/rooms/atrium/panel", b"online")
            await signs.until(5)
        assert signs.heard[:5] == [
            ("boardroom", True),
            ("boardroom", False),
            ("boardroom", True),
            ("boardroom", False),
            ("atrium", True),
        ]


async def test_a_broker_that_is_lost_reports_no_panel_any_more(mosquitto: Mosquitto) -> None:
    async with following(mosquitto) as signs:
        async with Subscriber(mosquitto) as panel:
            await panel.publish(TOPIC, b"online", retain=True)
            await signs.until(1)
        await mosquitto.kill()
        await signs.until(2)
        assert signs.heard[:2] == [("boardroom", True), None]
