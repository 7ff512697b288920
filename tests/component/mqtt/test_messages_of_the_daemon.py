"""What the doctor is given to try is what the daemon publishes: the same topics, and packets of that size."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.doctor.messages_of_the_daemon import expected_messages
from placed.mqtt.messages import BridgeInfo, Message, packet_size
from placed.mqtt.publisher import Publisher
from placed.mqtt.topics import Importance, Topics
from placed.settings.output_settings import HomeAssistant
from placed.settings.schema import Settings
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import IMPATIENT, PublisherSetup, room, running

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto

NOW = datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC)


def settings(url: str, **tables: Any) -> Settings:
    return Settings.model_validate(
        {"connections": [{"name": "contoso", "driver": "microsoft365"}], "mqtt": {"url": url}, **tables}
    )


@pytest.mark.parametrize("discovery", [True, False])
async def test_what_is_expected_is_what_is_published(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, *, discovery: bool
) -> None:
    wanted = settings(mosquitto.url, home_assistant={"discovery": discovery})
    rooms = [room("boardroom"), room("library")]
    expected = {
        m.topic: m for m in expected_messages(wanted, rooms, version="0.1", now=publisher_setup.now())
    }
    assert wanted.mqtt is not None
    publisher = Publisher(
        wanted.mqtt,
        publisher_setup.board,
        now=publisher_setup.now,
        info=BridgeInfo.of(wanted, "0.1"),
        home_assistant=wanted.home_assistant,
        timing=IMPATIENT,
    )
    publisher_setup.board.listeners.append(publisher)
    async with Subscriber(mosquitto, "placed/#", "homeassistant/#") as seen:
        async with running(publisher):
            await publisher.published()
            publisher_setup.book("library")
            publisher_setup.read("boardroom")
            await seen.message("placed/rooms/library/event")
            await seen.message("placed/rooms/boardroom/event")
        await seen.message("placed/bridge/state", '{"state":"offline","epoch":7}')
    assert {arrival.topic for arrival in seen.arrivals} == set(expected)
    for topic, arrival in seen.latest.items():
        assert expected[topic].retain == arrival.retain, topic
        assert len(arrival.payload) <= len(expected[topic].payload) + 2, topic


def test_without_a_broker_nothing_is_expected() -> None:
    wanted = settings("mqtt://localhost").model_copy(update={"mqtt": None})
    assert list(expected_messages(wanted, [room("boardroom")], version="0.1", now=NOW)) == []


messages = st.builds(
    Message,
    st.text("ab/ä", min_size=1, max_size=200),
    st.sampled_from([0, 1, 50, 100, 127, 128, 300, 16_300, 16_384, 70_000]).map(bytes),
    expires_at=st.sampled_from([None, NOW]),
    json=st.booleans(),
    instance=st.sampled_from(["", "0123abcd"]),
)


@given(messages, st.booleans())
def test_the_size_of_a_packet_is_what_goes_on_the_wire(message: Message, v5: bool) -> None:  # noqa: FBT001
    assert packet_size(message, v5=v5) == len(wire(message, v5=v5))


def wire(message: Message, *, v5: bool) -> bytes:
    """The packet as paho makes it."""
    import paho.mqtt.client as paho  # noqa: PLC0415 - nothing else here knows paho
    from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415 - the same
    from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415 - the same
    from paho.mqtt.properties import Properties  # noqa: PLC0415 - the same

    from placed.mqtt.messages import properties_of  # noqa: PLC0415 - those that the daemon sends

    client = paho.Client(
        CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5 if v5 else paho.MQTTv311, client_id="x"
    )
    sent: list[bytes] = []
    client._packet_queue = lambda _command, packet, *_: sent.append(bytes(packet))  # type: ignore[assignment]
    client._sock = object()  # type: ignore[assignment] # or it would not make the packet
    properties = None
    if v5 and message.payload:
        ours = properties_of(message, 5 if message.expires_at else None)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
        properties.PayloadFormatIndicator = 1
        properties.ContentType = ours.content_type
        if ours.expiry is not None:
            properties.MessageExpiryInterval = ours.expiry
        if ours.user:
            properties.UserProperty = list(ours.user)
    client._send_publish(1, message.topic.encode(), message.payload, 1, message.retain, properties=properties)
    client._sock = None
    return sent[0]


def test_what_depends_on_a_topic() -> None:
    topics = Topics("placed/hq", discovery="homeassistant")
    found = {
        topic: topics.importance_of(topic)
        for topic in (
            *topics.room_topics("a", plain=True),
            topics.bridge_state,
            topics.rooms,
            topics.bridge_info,
        )
    }
    assert found == {
        "placed/hq/rooms/a/state": Importance.STATE,
        "placed/hq/rooms/a/availability": Importance.STATE,
        "placed/hq/rooms/a/occupied": Importance.PLAIN,
        "placed/hq/rooms/a/status": Importance.PLAIN,
        "placed/hq/bridge/state": Importance.STATE,
        "placed/hq/rooms": Importance.PLAIN,
        "placed/hq/bridge/info": Importance.OPTIONAL,
    }
    for topic in (topics.event("a"), *topics.room_configs("a").values(), *topics.bridge_configs().values()):
        assert topics.importance_of(topic) is Importance.OPTIONAL


@given(st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True))
def test_a_room_is_found_by_each_of_its_topics(room_id: str) -> None:
    topics = Topics.of(_mqtt(), HomeAssistant(discovery=True))
    for topic in (*topics.retained(room_id), topics.event(room_id)):
        assert topics.room_of(topic) == room_id
    for topic in (topics.rooms, topics.bridge_state, f"{topics.rooms}/{room_id}/light", f"x/{room_id}/state"):
        assert topics.room_of(topic) is None


def _mqtt() -> Any:
    return settings("mqtt://localhost").mqtt
