"""The topics of one connection's rooms are cleared, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pytest

from placed.disconnect import topic_clearing
from placed.domain.connection_health import ConnectionState
from placed.mqtt.connection_problems import BrokerLost
from placed.mqtt.topics import Topics
from placed.settings.output_settings import Mqtt
from tests.support.free_ports import free_port
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, running
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tests.support.mosquitto import Mosquitto

    Protocol = Literal["5", "3.1.1"]
    Start = Callable[..., Awaitable[Mosquitto]]


def two() -> PublisherSetup:
    """Two connections with two rooms each."""
    publisher_setup = PublisherSetup("contoso", "fabrikam")
    publisher_setup.enroll("boardroom", "library")
    publisher_setup.enroll("attic", "cellar", connection="fabrikam")
    publisher_setup.book("boardroom")
    for room in ("library", "attic"):
        publisher_setup.read(room)
    for connection in publisher_setup.connections:
        publisher_setup.report(connection)
    return publisher_setup


async def left_behind(broker: Mosquitto, publisher_setup: PublisherSetup, **settings: Any) -> None:
    """The daemon was there, and is not any more."""
    async with running(publisher_setup.publisher(broker, **settings)):
        pass


async def kept(broker: Mosquitto) -> dict[str, tuple[bytes, dict[str, object]]]:
    """All that the broker holds, with properties but for the expiry, which goes on by itself."""
    async with Subscriber(broker, "placed/#") as late:
        await late.caught_up()
    return {
        topic: (a.payload, {k: v for k, v in a.properties.items() if k != "MessageExpiryInterval"})
        for topic, a in late.latest.items()
    }


def rooms_in(topics: Iterable[str]) -> set[str]:
    return {topic.split("/")[2] for topic in topics if topic.startswith("placed/rooms/")}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_one_connections_rooms_are_gone_and_all_else_is_what_it_was(
    mosquitto: Mosquitto, protocol: Protocol
) -> None:
    await left_behind(mosquitto, two(), protocol=protocol)
    async with Subscriber(mosquitto) as somebody:
        await somebody.publish("placed/rooms/attic/light", "on", retain=True)
        await somebody.publish("elsewhere", b"\xff", retain=True)
    before = await kept(mosquitto)
    settings = Mqtt(url=mosquitto.url, protocol=protocol)

    assert (await topic_clearing.look(settings, "fabrikam")).rooms == ("attic", "cellar")
    assert await kept(mosquitto) == before
    assert (await topic_clearing.clear(settings, "fabrikam")).rooms == ("attic", "cellar")

    after = await kept(mosquitto)
    assert rooms_in(after) == {"boardroom", "library", "attic"}
    assert [topic for topic in after if "attic" in topic] == ["placed/rooms/attic/light"]
    index = json.loads(after.pop("placed/rooms")[0])
    was = json.loads(before["placed/rooms"][0])
    assert [room["id"] for room in index["rooms"]] == ["boardroom", "library"]
    assert index == was | {"rooms": [room for room in was["rooms"] if room["connection"] == "contoso"]}
    assert after.items() <= before.items()
    assert (await topic_clearing.clear(settings, "fabrikam")).rooms == ()


async def test_the_index_keeps_other_rooms_and_unknown_fields_byte_for_byte(
    mosquitto: Mosquitto,
) -> None:
    head = '{"schema":1, "more":{"a": 1.50}, "rooms":'
    entries = [
        '{"id":"a1","name":"A","connection":"a","new":[ 1 ]}',
        '{"id":"b1","name":"B","connection":"b"}',
    ]
    async with Subscriber(mosquitto, "placed/rooms") as seen:
        await seen.publish("placed/rooms", f"{head}[{','.join(entries)}]}}", retain=True)
        await topic_clearing.clear(Mqtt(url=mosquitto.url), "b")
        index = await seen.until(lambda a: b"b1" not in a.payload)
    assert index.text == f'{{"schema":1,"more":{{"a": 1.50}},"rooms":[{entries[0]}]}}'


async def test_home_assistant_forgets_the_rooms_too(mosquitto: Mosquitto) -> None:
    await left_behind(mosquitto, two())
    async with Subscriber(mosquitto, "placed/rooms", "homeassistant/#") as seen:
        index = (await seen.message("placed/rooms")).document | {"discovery": "homeassistant"}
        await seen.publish("placed/rooms", json.dumps(index), retain=True)
        topics = Topics("placed", "homeassistant")
        for room in ("attic", "boardroom"):
            for topic in topics.room_configs(room).values():
                await seen.publish(topic, "{}", retain=True)
        await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")
        reported = await seen.until(lambda a: a.topic == "placed/rooms" and b"attic" not in a.payload)
        await seen.caught_up()
        assert reported.document["discovery"] == "homeassistant"
        left = {topic for topic in seen.latest if topic.startswith("homeassistant/")}
        assert left == set(topics.room_configs("boardroom").values())


async def test_whatever_prefix_an_index_names_nothing_is_cleared_below_another_one(
    mosquitto: Mosquitto,
) -> None:
    await left_behind(mosquitto, two())
    topics = Topics("placed", "factory/line")
    foreign = {*topics.room_configs("attic").values(), *topics.bridge_configs().values()}
    async with Subscriber(mosquitto, "placed/rooms", "factory/#") as seen:
        index = (await seen.message("placed/rooms")).document | {"discovery": "factory/line"}
        await seen.publish("placed/rooms", json.dumps(index), retain=True)
        for topic in foreign:
            await seen.publish(topic, "kept", retain=True)
        await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")
        await seen.caught_up()
        assert foreign <= seen.latest.keys()
        assert not [a for a in seen.arrivals if a.topic.startswith("factory/") and not a.payload]


async def test_a_published_room_missing_from_the_index_is_cleared_too(mosquitto: Mosquitto) -> None:
    await left_behind(mosquitto, two())
    async with Subscriber(mosquitto) as somebody:
        await somebody.publish("placed/rooms", "", retain=True)
    assert (await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")).rooms == ("attic", "cellar")
    assert rooms_in(await kept(mosquitto)) == {"boardroom", "library"}


async def test_a_room_that_moved_to_another_connection_is_not_cleared(mosquitto: Mosquitto) -> None:
    """The index lists it there already, while its state is still that of the old connection."""
    await left_behind(mosquitto, two())
    async with Subscriber(mosquitto) as somebody:
        moved = {"rooms": [{"id": "attic", "name": "Attic", "connection": "contoso"}]}
        await somebody.publish("placed/rooms", json.dumps(moved), retain=True)
    assert (await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")).rooms == ("cellar",)


@pytest.mark.parametrize(
    "payload",
    ["", "no JSON", "[]", '{"rooms":5}', "[" * 100_000, '{"connection":["fabrikam"]}', b"\xff"],
    ids=range(7),
)
async def test_what_is_wrong_or_hostile_on_the_broker_does_no_harm(
    mosquitto: Mosquitto, payload: str | bytes
) -> None:
    await left_behind(mosquitto, two())
    reported = json.dumps({"connection": "fabrikam"})
    async with Subscriber(mosquitto) as somebody:
        for topic in (
            "placed/rooms",
            "placed/rooms/library/state",
            "placed/bridge/state",
            "placed/bridge/info",
        ):
            await somebody.publish(topic, payload, retain=True)
        await somebody.publish("placed/rooms/BIG ROOM/state", reported, retain=True)
        await somebody.publish("placed/rooms/a/b/state", reported, retain=True)
    found = await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")
    assert (found.rooms, found.online, found.connections) == (("attic", "cellar"), False, ())
    after = await kept(mosquitto)
    assert {"placed/rooms/BIG ROOM/state", "placed/rooms/a/b/state"} <= after.keys()


async def test_a_daemon_that_is_there_is_seen_and_not_disturbed(mosquitto: Mosquitto) -> None:
    publisher_setup = two()
    publisher = publisher_setup.publisher(mosquitto)
    settings = Mqtt(url=mosquitto.url)
    async with running(publisher), Subscriber(mosquitto, "placed/bridge/state") as panel:
        found = await topic_clearing.look(settings, "fabrikam")
        assert (found.online, found.connections) == (True, ("contoso", "fabrikam"))
        await topic_clearing.clear(settings, "nobody")
        assert publisher.connected
        assert publisher.reconnects == 0
        await panel.caught_up()
        assert [a.document["state"] for a in panel.arrivals] == ["online"]
    assert not (await topic_clearing.look(settings, "fabrikam")).online


@pytest.mark.slow  # thousands of topics are published and cleared
async def test_a_large_building_is_cleared_whole(mosquitto: Mosquitto) -> None:
    rooms = [f"room-{number:04}" for number in range(1500)]
    publisher_setup = PublisherSetup("contoso", "fabrikam")
    publisher_setup.enroll("boardroom")
    publisher_setup.enroll(*rooms, connection="fabrikam")
    publisher_setup.read("boardroom")
    for room in rooms:
        publisher_setup.read(room)
    publisher_setup.report("contoso")
    publisher_setup.report("fabrikam", ConnectionState.FAILING)
    await left_behind(mosquitto, publisher_setup)
    assert len((await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")).rooms) == len(rooms)
    assert rooms_in(await kept(mosquitto)) == {"boardroom"}


# --- what keeps us from it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_broker_that_forbids_publishing_is_reported(start: Start, protocol: Protocol) -> None:
    """MQTT 3.1.1 has no word for it, so that what is left is looked at."""
    users = {"placed": "right", "reader": "right"}
    access = ["user placed", "topic readwrite placed/#", "user reader", "topic read placed/#"]
    broker = await start(users=users, access=access)
    async with Subscriber(broker, username="placed", password="right") as somebody:
        index = {"rooms": [{"id": "attic", "name": "Attic", "connection": "fabrikam"}]}
        await somebody.publish("placed/rooms", json.dumps(index), retain=True)
    password = broker._folder / "password"
    write_secret(password, "right")
    settings = Mqtt(url=broker.url, username="reader", password_file=password, protocol=protocol)
    assert (await topic_clearing.look(settings, "fabrikam")).rooms == ("attic",)
    with pytest.raises(BrokerLost, match="does not let us clear topics") as refused:
        await topic_clearing.clear(settings, "fabrikam")
    assert refused.value.trouble.problem.remedy == "have its access rules let this login write placed/#"


async def test_an_unreachable_broker_is_reported() -> None:
    with pytest.raises(BrokerLost, match="refused") as away:
        await topic_clearing.look(Mqtt(url=f"mqtt://127.0.0.1:{free_port()}"), "fabrikam")
    assert not away.value.trouble.problem.lasting


async def test_a_broker_that_refuses_the_connection_is_reported(start: Start) -> None:
    broker = await start(users={"placed": "right"})
    with pytest.raises(BrokerLost, match="the broker refused the connection") as refused:
        await topic_clearing.look(Mqtt(url=broker.url), "fabrikam")
    assert refused.value.trouble.problem.lasting
