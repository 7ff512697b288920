"""With the example files for mosquitto a panel reads, and nobody but the daemon writes."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from placed.disconnect import topic_clearing
from placed.doctor.broker_checks import check_broker
from placed.driver import Verdict
from placed.mqtt.topics import Topics
from placed.settings.output_settings import HomeAssistant, Mqtt
from tests.security.example_mosquitto import PASSWORDS, Guarded
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.publisher_setup import IMPATIENT, PublisherSetup, cut, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed.mqtt.publisher import Publisher

OWN = {f"placed/rooms/boardroom/{name}" for name in ("state", "availability", "occupied", "status", "event")}
BRIDGE = "placed/bridge/state"
CONFIG = "homeassistant/sensor/placed/boardroom_status/config"
FORGED = b'{"state":"forged"}'
DISCOVERY = HomeAssistant(discovery=True)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Guarded]:
    broker = Guarded(tmp_path / "mosquitto")
    await broker.start()
    yield broker
    await broker.kill()


@pytest.fixture
def publisher_setup() -> PublisherSetup:
    """Two rooms, one of them busy."""
    return PublisherSetup.furnished()


def publisher(publisher_setup: PublisherSetup, broker: Guarded, **more: Any) -> Publisher:
    return publisher_setup.publisher(broker, home_assistant=DISCOVERY, **broker.settings(**more))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_the_daemon_can_publish_and_receive_all_it_needs(
    broker: Guarded, publisher_setup: PublisherSetup, protocol: str
) -> None:
    daemon = publisher(publisher_setup, broker, protocol=protocol)
    async with running(daemon), broker.reader("homeassistant", "placed/#", "homeassistant/#") as everything:
        wanted = {BRIDGE, "placed/bridge/info", "placed/bridge/health", "placed/rooms"} | OWN
        wanted -= {"placed/rooms/boardroom/event"}
        topics = Topics("placed", discovery="homeassistant")
        wanted |= {*topics.bridge_configs().values(), *topics.room_configs("library").values()}
        await everything.until(lambda _: wanted <= everything.latest.keys())
        # Home Assistant starts, and is heard.
        before = len(everything.arrivals)
        await everything.publish("homeassistant/status", "online")
        await everything.message(topics.room_configs("library")["status"], after=before)
        assert daemon.undelivered == ()
        assert not any(daemon.messages_refused.values())
        settings = Mqtt.model_validate(broker.settings(protocol=protocol))
        found = await check_broker(settings)
        assert [finding.verdict for finding in found] == [Verdict.GOOD] * 3
        held = await topic_clearing.look(settings, "contoso")
        assert set(held.rooms) == {"boardroom", "library"}
        assert daemon.connected


async def test_a_panel_is_notified_when_the_daemon_is_gone(
    broker: Guarded, publisher_setup: PublisherSetup
) -> None:
    """The will is the daemon's, too: its rights are looked at when it is not there any more."""
    hasty = publisher_setup.publisher(broker, timing=replace(IMPATIENT, will_delay=0), **broker.settings())
    async with running(hasty), broker.reader("boardroom", BRIDGE) as panel:
        await panel.until(lambda a: a.document["state"] == "online")
        cut(hasty)
        await panel.until(lambda a: a.document["state"] == "offline")


async def test_a_panel_reads_its_own_room_and_a_board_reads_all(
    broker: Guarded, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher(publisher_setup, broker)), broker.reader("boardroom", "#") as panel:
        async with broker.reader("lobby", "#") as board:
            await panel.until(lambda _: OWN - {"placed/rooms/boardroom/event"} <= panel.latest.keys())
            publisher_setup.book("library")
            await board.message("placed/rooms/library/status", "busy")
        publisher_setup.read("boardroom")
        await panel.message("placed/rooms/boardroom/status", "free")
        assert {a.topic for a in panel.arrivals} <= {BRIDGE, *OWN}
        assert BRIDGE in panel.latest
        rooms = {a.topic.split("/")[2] for a in board.arrivals if a.topic.startswith("placed/rooms/")}
        assert rooms == {"boardroom", "library"}
        assert {a.topic for a in board.arrivals if not a.topic.startswith("placed/rooms")} == {BRIDGE}


@pytest.mark.parametrize("login", ["boardroom", "lobby", "homeassistant"])
async def test_other_users_cannot_publish_directly_or_through_a_will(
    broker: Guarded, publisher_setup: PublisherSetup, login: str
) -> None:
    """Neither a message nor a will, kept or not, not even on a room's own topics."""
    daemon = publisher(publisher_setup, broker)
    other = "boardroom" if login == "lobby" else "lobby"
    async with running(daemon), broker.reader(other, "#") as panel:
        forger = broker.client(login, will=aiomqtt.Will(BRIDGE, FORGED, qos=1, retain=True))
        await forger.__aenter__()
        for topic in (BRIDGE, "placed/rooms", *sorted(OWN), CONFIG, "x"):
            for retain in (True, False):
                await forger.publish(topic, FORGED, qos=1, retain=retain)
        wire(forger).shutdown(socket.SHUT_RDWR)
        await broker.wait_for_line(f"{login} closed its connection")
        with suppress(aiomqtt.MqttError):
            await forger.__aexit__(None, None, None)
        publisher_setup.read("boardroom")
        await panel.message("placed/rooms/boardroom/status", "free")
        async with broker.reader("homeassistant", "#") as late:  # what is kept
            await late.until(lambda _: {BRIDGE, "placed/rooms", CONFIG} <= late.latest.keys())
            await late.message("placed/rooms/boardroom/status", "free")
        assert [a.topic for a in (*panel.arrivals, *late.arrivals) if a.payload == FORGED] == []
        assert json.loads(late.latest[BRIDGE].payload)["state"] == "online"
        assert daemon.connected


async def test_a_panel_that_calls_itself_the_daemon_does_not_take_its_place(
    broker: Guarded, publisher_setup: PublisherSetup
) -> None:
    daemon = publisher(publisher_setup, broker)
    async with running(daemon) as task, broker.reader("boardroom", "#", identifier="placed") as panel:
        await panel.message("placed/rooms/boardroom/status", "busy")
        publisher_setup.read("boardroom")
        await panel.message("placed/rooms/boardroom/status", "free")
        assert not task.done()
        assert daemon.counters.connections == 1


@pytest.mark.parametrize(
    ("door", "login"),
    [
        ("port", None),
        ("daemon_port", None),
        ("port", ("boardroom", "wrong")),
        ("port", ("placed", PASSWORDS["placed"])),
        ("daemon_port", ("boardroom", PASSWORDS["boardroom"])),
        ("daemon_port", ("lobby", PASSWORDS["lobby"])),
    ],
    ids=[
        "anonymous",
        "anonymous-daemon",
        "wrong-password",
        "daemon-as-panel",
        "panel-as-daemon",
        "board-as-daemon",
    ],
)
async def test_the_doors_are_shut_to_all_others(
    broker: Guarded, door: str, login: tuple[str, str] | None
) -> None:
    client = broker.client(*(login or (None, None)), port=getattr(broker, door))
    with pytest.raises(aiomqtt.MqttCodeError, match="Not authorized"):
        await client.__aenter__()


async def test_nothing_is_sent_unencrypted(broker: Guarded) -> None:
    hello = bytes.fromhex("101000044d5154540502003c000003783031")  # CONNECT, MQTT 5, clean start, client x01
    for port in (broker.port, broker.daemon_port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(hello)
        output = b""
        with suppress(ConnectionResetError):
            async with asyncio.timeout(DEADLINE):
                output = await reader.read()
        assert not output.startswith(b"\x20")  # CONNACK
        writer.close()


def wire(client: aiomqtt.Client) -> socket.socket:
    """The socket below its TLS."""
    found = client._client.socket()
    assert isinstance(found, socket.socket)
    return found
