"""Any retained messages at the start: placed publishes what is true, and changes only its own topics."""

from __future__ import annotations

import asyncio
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import aiomqtt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.model import Status
from placed.mqtt.removed_rooms import RetainedRooms
from placed.mqtt.room_index import (
    MOST,
    earlier_discovery,
    earlier_rooms,
    encode_at_once,
    encode_rooms,
    index_message,
    is_room_id,
)
from placed.mqtt.takeover import is_from_another_instance
from placed.mqtt.topics import Topics
from placed.panel.state_validity import Heard, Moment, Panel
from placed.settings.output_settings import HomeAssistant
from tests.support.arbitrary_json import anything, encoded
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.mosquitto import Mosquitto, Subscriber
from tests.support.publisher_setup import PublisherSetup, room, running

if TYPE_CHECKING:
    from placed.mqtt.publisher import Publisher

pytestmark = pytest.mark.slow  # hypothesis draws hundreds of messages, some of them over a real broker

fuzz = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
TOPICS = Topics("placed/hq", discovery="homeassistant")
HERE = [room("boardroom"), room("library")]
ids = st.one_of(
    st.sampled_from(
        ["boardroom", "attic", "", "+", "#", "a/b", "../x", "$SYS", "a\0", "A", "bridge", "x" * 201, "state"]
    ),
    st.text(max_size=8),
    st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True),
)
entries = st.one_of(
    anything,
    st.fixed_dictionaries(
        {
            "id": ids,
            "name": st.text(max_size=8),
            "connection": st.sampled_from(["contoso", "gone", "silent"]),
        },
        optional={"topics": anything, "capacity": anything, "building": anything, "floor": anything},
    ),
)
prefixes = st.one_of(
    anything, st.sampled_from(["homeassistant", "old", "placed/hq", "#", "+/x", "", "/", "a" * 201])
)
indexes = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"rooms": st.one_of(anything, st.lists(entries, max_size=5))},
        optional={"schema": anything, "epoch": anything, "discovery": prefixes},
    ),
)
payloads = st.one_of(st.binary(max_size=80), indexes.map(encoded))


def own(topic: str) -> bool:
    """Whether it is a topic that a run of ours may have spoken on, of a room or of the bridge."""
    levels = topic.split("/")
    if topic.startswith("placed/hq/rooms/"):
        return len(levels) == 5 and is_room_id(levels[3])
    return topic.startswith("homeassistant/") and levels[-1] == "config" and levels[-3] == "placed_hq"


@fuzz
@given(payloads, st.sampled_from(list(ConnectionState)))
@example(b"[" * 100_000, ConnectionState.OK)
@example(b'{"rooms":' + b"[" * 100_000, ConnectionState.OK)
@example(encoded({"rooms": [{"id": "a", "name": "\ud800", "connection": "gone"}]}), ConnectionState.OK)
@example(
    encoded({"rooms": [{"id": f"r{n}", "name": "", "connection": "gone"} for n in range(MOST + 1)]}),
    ConnectionState.OK,
)
def test_an_index_names_rooms_and_nothing_else(payload: bytes, silent: ConnectionState) -> None:
    retained_rooms = RetainedRooms(TOPICS, "homeassistant")
    earlier, prefix = earlier_rooms(payload), earlier_discovery(payload)
    assert len(earlier) <= MOST
    before = retained_rooms.add_earlier(earlier, prefix)
    health = {
        "contoso": ConnectionHealth("contoso", "microsoft365", ConnectionState.OK),
        "silent": ConnectionHealth("silent", "microsoft365", silent),
    }
    gone = retained_rooms.find_removed(HERE, ("contoso", "silent"), health)
    assert all(own(topic) for topic in (*before, *gone, *retained_rooms.to_clear))
    # Messages of rooms that exist are only cleared where the discovery had another prefix.
    kept = {topic for here in HERE for topic in TOPICS.retained(here.id)}
    assert kept.isdisjoint((*before, *gone))
    document = bytearray()
    encode_at_once(encode_rooms(document, TOPICS, HERE, retained_rooms.undecided, plain=True))
    index = index_message(TOPICS, document, 7)
    all_published = json.loads(index.payload)["rooms"]
    assert {here.id for here in HERE} <= {entry["id"] for entry in all_published}
    assert all(own(topic) for entry in all_published for topic in entry["topics"].values())
    assert set(earlier_rooms(index.payload)) == {entry["id"] for entry in all_published}


states = st.fixed_dictionaries(
    {},
    optional={
        "state": anything,
        "epoch": st.one_of(anything, st.just(7), st.integers(0, 2**70)),
        "instance": anything,
    },
)


@fuzz
@given(st.one_of(st.binary(max_size=80), states.map(encoded)), st.one_of(st.none(), st.text(max_size=5)))
def test_any_payload_on_the_bridge_topic_is_classified_as_own_or_foreign(
    payload: bytes, instance: str | None
) -> None:
    assert is_from_another_instance(payload, instance, epoch=7, ours="us") in (True, False)


def test_own_bridge_messages_are_not_classified_as_foreign() -> None:
    payload_sent = b'{"state":"online","epoch":7}'
    assert not is_from_another_instance(payload_sent, "us", epoch=7, ours="us")
    assert is_from_another_instance(payload_sent, "them", epoch=7, ours="us")


# --- with a broker ------------------------------------------------------------------------------------------

FREE = {
    "schema": 1,
    "room": "boardroom",
    "name": "Forged",
    "status": "free",
    "stale": False,
    "valid_until": "2099-01-01T00:00:00Z",
    "epoch": 2**62,
    "seq": 2**62,
}
GHOST = {"rooms": [{"id": "ghost", "name": "Ghost", "connection": "gone"}], "discovery": "old"}
OUTSIDE = (
    "other/topic",
    "placedx/rooms",
    "rooms",
    "homeassistant/sensor/lamp/config",
    "old/sensor/lamp/x/config",
)
CONFIG = "homeassistant/sensor/placed/boardroom_status/config"
held = st.one_of(st.binary(min_size=1, max_size=80), indexes.map(encoded), st.just(encoded(FREE)))
found_at_start = st.fixed_dictionaries(
    {},
    optional={
        "placed/rooms": held,
        "placed/bridge/state": st.one_of(
            held, states.map(encoded), st.just(b'{"state":"online","epoch":99}')
        ),
        "placed/bridge/info": held,
        "placed/bridge/health": held,
        "placed/rooms/boardroom/state": held,
        "placed/rooms/boardroom/availability": held,
        "placed/rooms/boardroom/occupied": st.just(b"OFF"),
        "placed/rooms/boardroom/status": st.just(b"free"),
        "homeassistant/status": st.one_of(held, st.just(b"online")),
        CONFIG: held,
    },
)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(found_at_start, st.sampled_from(["5", "3.1.1"]))
@example(
    {
        "placed/rooms": encoded(GHOST),
        "placed/rooms/ghost/state": encoded({**FREE, "room": "ghost"}),
        "placed/rooms/boardroom/state": encoded(FREE),
    },
    "5",
)
@example(dict.fromkeys(("placed/rooms", "placed/bridge/state", "homeassistant/status"), b"\xff\0["), "3.1.1")
def test_what_a_broker_held_before_makes_no_room_free(found: dict[str, bytes], protocol: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(start_where(Path(folder), found, protocol))


async def start_where(folder: Path, found: dict[str, bytes], protocol: str) -> None:
    """Starts where a broker holds all that, and looks on as a panel does."""
    broker, publisher_setup = Mosquitto(folder), PublisherSetup()
    publisher_setup.enroll("boardroom", "library")
    publisher_setup.book("boardroom")
    publisher_setup.read("library")
    publisher_setup.report()
    await broker.start()
    try:
        outside = dict.fromkeys(OUTSIDE, b"not ours")
        async with aiomqtt.Client(HOST, broker.port, timeout=DEADLINE) as somebody:
            for topic, payload in (outside | found).items():
                await somebody.publish(topic, payload, qos=1, retain=True)
        publisher = publisher_setup.publisher(
            broker, home_assistant=HomeAssistant(discovery=True), protocol=protocol
        )
        async with running(publisher) as task:
            await all_published(publisher)
            kept = await retained(broker)
            assert {topic: kept.get(topic) for topic in OUTSIDE} == outside
            assert shown(kept, publisher_setup) == {"boardroom": Status.BUSY, "library": Status.FREE}
            assert json.loads(kept[CONFIG])["name"]
            publisher_setup.read("boardroom")
            publisher_setup.book("library")
            await all_published(publisher)
            assert shown(await retained(broker), publisher_setup) == {
                "boardroom": Status.FREE,
                "library": Status.BUSY,
            }
            assert not task.done()
            assert publisher.counters.connections == 1
    finally:
        await broker.kill()


async def all_published(publisher: Publisher) -> None:
    """All that is known is published and acknowledged."""
    async with asyncio.timeout(DEADLINE):
        await publisher.published()


async def retained(broker: Mosquitto) -> dict[str, bytes]:
    async with Subscriber(broker, "#") as late:
        await late.caught_up()
        return {arrival.topic: arrival.payload for arrival in late.latest.values()}


def shown(kept: dict[str, bytes], publisher_setup: PublisherSetup) -> dict[str, Status]:
    """What a panel for all rooms shows that comes now."""
    panel, moment = Panel(), Moment(publisher_setup.now() + timedelta(seconds=1), 0.0)
    for topic, payload in kept.items():
        panel.hear(Heard(topic, payload, retain=True), moment)
    panel.connect()
    return {room_id: panel.shows(room_id, moment).status for room_id in panel.rooms}
