"""What is published for Home Assistant, and when it is taken back."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from structlog.testing import capture_logs

from placed.disconnect import topic_clearing
from placed.domain.model import Reason, Status
from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.room_index import earlier_discovery
from placed.mqtt.topics import BRIDGE_ENTITIES, ROOM_ENTITIES, Topics
from placed.settings.output_tables import HomeAssistant, Mqtt
from tests.component.mqtt.test_publisher import becomes
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, cut, room, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.domain.model import Room
    from tests.support.mosquitto import Arrival, Mosquitto

DISCOVERY = HomeAssistant(discovery=True)
OCCUPANCY = "homeassistant/binary_sensor/placed/boardroom_occupancy/config"
LIBRARY = "homeassistant/binary_sensor/placed/library_occupancy/config"
BIRTH = "homeassistant/status"


def discovery(base: str = "placed") -> Discovery:
    info = BridgeInfo("0.1", timedelta(minutes=15), ("contoso",))
    return Discovery(Topics(base, discovery="homeassistant"), info, BIRTH)


def room_configs(room: Room, base: str = "placed") -> dict[str, Any]:
    """What is told of a room, by topic."""
    return {message.topic: json.loads(message.payload) for message in discovery(base).room(room)}


async def kept(broker: Mosquitto, *topics: str) -> dict[str, Arrival]:
    """What the broker holds for Home Assistant."""
    async with Subscriber(broker, *(topics or ("homeassistant/#",))) as late:
        await late.caught_up()
    return late.latest


def expected(*rooms: str, prefix: str = "homeassistant") -> set[str]:
    """The topics on which the bridge and these rooms are told."""
    topics = Topics("placed", discovery=prefix)
    configs = [topics.bridge_configs(), *map(topics.room_configs, rooms)]
    return {topic for part in configs for topic in part.values()}


async def announced(broker: Mosquitto, *rooms: str, prefix: str = "homeassistant") -> dict[str, Arrival]:
    """Waits until the broker holds what is told of the bridge and these rooms, and nothing else."""
    wanted = expected(*rooms, prefix=prefix)
    async with Subscriber(broker, f"{prefix}/+/+/+/config") as seen:
        await seen.until(lambda _: seen.latest.keys() == wanted)
        return seen.latest


async def nothing_announced(broker: Mosquitto) -> None:
    """Waits until the broker holds nothing for Home Assistant."""
    async with Subscriber(broker) as seen:
        await seen.until(lambda _: not [topic for topic in seen.latest if topic.endswith("/config")])
    assert await kept(broker) == {}


# --- what is told -------------------------------------------------------------------------------------------


async def test_every_room_is_published_as_a_device_with_its_entities(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY, budget=900)):
        configs = await announced(mosquitto, "boardroom", "library")
    assert all(re.fullmatch(r"homeassistant/\w+/placed/[\w-]+/config", topic) for topic in configs)
    assert {(a.retain, a.expiry, a.properties["ContentType"]) for a in configs.values()} == {
        (True, None, "application/json")
    }
    config = configs[OCCUPANCY].document
    assert config.pop("value_template").startswith(
        "{{ {true: 'ON', false: 'OFF'}.get(value_json.occupied) if "
    )
    assert config == {
        "name": "Occupancy",
        "device_class": "occupancy",
        "unique_id": "placed/rooms/boardroom/occupancy",
        "object_id": "boardroom_occupancy",
        "default_entity_id": "binary_sensor.boardroom_occupancy",
        "state_topic": "placed/rooms/boardroom/state",
        "qos": 1,
        "expire_after": 900,
        "availability": [
            {"topic": "placed/bridge/state", "value_template": "{{ value_json.state }}"},
            {"topic": "placed/rooms/boardroom/availability"},
        ],
        "availability_mode": "all",
        "device": {
            "identifiers": ["placed/rooms/boardroom"],
            "name": "Boardroom",
            "manufacturer": "placed",
            "model": "Meeting room for 8",
            "sw_version": "0.1",
            "via_device": "placed/bridge",
            "suggested_area": "HQ, Floor 2",
        },
        "origin": {"name": "placed", "sw_version": "0.1"},
    }
    assert configs["homeassistant/sensor/placed/boardroom_status/config"].document["options"] == list(Status)
    reasons = configs["homeassistant/sensor/placed/boardroom_reason/config"].document["options"]
    assert reasons == ["none", *Reason]


async def test_without_the_setting_no_discovery_is_published(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher), Subscriber(mosquitto, "#") as seen:
        await publisher.published()
        await seen.publish(BIRTH, "online")
        await seen.caught_up()
    assert {topic.partition("/")[0] for topic in seen.latest} == {"placed", "homeassistant"}
    assert set(await kept(mosquitto)) == set()
    assert "discovery" not in seen.latest["placed/rooms"].document


async def test_discovery_works_with_mqtt_3_and_under_other_topics(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    elsewhere = HomeAssistant(discovery=True, discovery_prefix="site/ha", status_topic="site/status")
    publisher = publisher_setup.publisher(
        mosquitto, home_assistant=elsewhere, protocol="3.1.1", base_topic="placed/hq", plain_topics=False
    )
    async with running(publisher), Subscriber(mosquitto, "site/#", "placed/hq/rooms") as seen:
        config = await seen.message("site/ha/binary_sensor/placed_hq/boardroom_occupancy/config")
        assert config.document["state_topic"] == "placed/hq/rooms/boardroom/state"
        assert (await seen.message("placed/hq/rooms")).document["discovery"] == "site/ha"
        await seen.message("site/ha/sensor/placed_hq/library_reason/config")
        before = len(seen.arrivals)
        await seen.publish("site/status", "online")
        await seen.message(config.topic, after=before)


async def test_configs_follow_states_and_repeated_configs_are_followed_by_states(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """Home Assistant takes a state for expired that is from before a changed announcement."""
    publisher = publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)
    async with running(publisher, published=False), Subscriber(mosquitto, "#") as seen:
        config = await seen.message(OCCUPANCY)
        state = await seen.until(lambda a: a.topic == "placed/rooms/boardroom/state" and a.at >= config.at)
        assert seen.arrivals.index(state) > seen.arrivals.index(config)
        publisher_setup.board.enroll("contoso", [replace(room("boardroom"), name="Aula"), room("library")])
        renamed = await seen.until(lambda a: a.topic == OCCUPANCY and b"Aula" in a.payload)
        after = seen.arrivals.index(renamed)
        await seen.message("placed/rooms/boardroom/state", after=after)
        await seen.caught_up()
        assert [a.topic for a in seen.arrivals[after:] if a.topic == LIBRARY] == []


# --- when it is taken back ----------------------------------------------------------------------------------


async def earlier_run(broker: Mosquitto, publisher_setup: PublisherSetup, *rooms: str) -> None:
    """A daemon told Home Assistant of all rooms, and has ended."""
    async with running(publisher_setup.publisher(broker, home_assistant=DISCOVERY)):
        await announced(broker, *(rooms or ("boardroom", "library")))


async def test_a_room_that_is_removed_is_taken_back(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
        await announced(mosquitto, "boardroom", "library")
        publisher_setup.enroll("library")
        await announced(mosquitto, "library")


async def test_a_room_that_returns_at_once_is_published_again(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
        await announced(mosquitto, "boardroom", "library")
        async with Subscriber(mosquitto, "homeassistant/#") as seen:
            await seen.caught_up()
            publisher_setup.enroll("library")
            publisher_setup.enroll("library", "boardroom")
            before = len(seen.arrivals)
            await seen.message(OCCUPANCY, after=before)
        await announced(mosquitto, "boardroom", "library")


async def test_rooms_of_an_earlier_run_are_taken_back_when_they_are_gone(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    async with (
        running(later.publisher(mosquitto, home_assistant=DISCOVERY)),
        Subscriber(mosquitto, "placed/rooms") as seen,
    ):
        index = await seen.until(lambda a: a.topic == "placed/rooms" and a.document["epoch"] == 8)
        assert index.document["discovery"] == "homeassistant"
        assert (await kept(mosquitto)).keys() == expected("boardroom", "library")  # may not be gone
        later.enroll("library")
        later.report()
        await announced(mosquitto, "library")


async def test_where_it_is_switched_off_everything_is_taken_back(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    later.enroll("library")
    later.report()
    publisher = later.publisher(mosquitto)
    async with running(publisher):
        await nothing_announced(mosquitto)
        await becomes(lambda: not publisher._context.retained_rooms.to_clear)
        assert "discovery" not in (await kept(mosquitto, "placed/rooms"))["placed/rooms"].document


async def test_what_could_not_be_taken_back_before_the_connection_broke_is_taken_back_after(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    publisher = later.publisher(mosquitto)
    found = publisher._context.retained_rooms.add_earlier

    def and_then_it_breaks(*earlier: Any) -> list[str]:
        if not publisher.reconnects:
            cut(publisher)
        return found(*earlier)

    monkeypatch.setattr(publisher._context.retained_rooms, "add_earlier", and_then_it_breaks)
    async with running(publisher, published=False):
        await becomes(lambda: publisher.reconnects == 1 and publisher.first_published.is_set())
        await nothing_announced(mosquitto)
        await becomes(lambda: not publisher._context.retained_rooms.to_clear)


async def test_configs_under_another_prefix_are_kept_and_reported(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """Anybody who may publish can have written an index that names any prefix."""
    await earlier_run(mosquitto, publisher_setup)
    elsewhere = HomeAssistant(discovery=True, discovery_prefix="ha")
    with capture_logs() as log:
        async with running(publisher_setup.publisher(mosquitto, home_assistant=elsewhere)) as task:
            await announced(mosquitto, "boardroom", "library", prefix="ha")
            assert not task.done()
    assert expected("boardroom", "library") <= (await kept(mosquitto)).keys()
    (named,) = [entry for entry in log if entry["event"] == "home_assistant.earlier_prefix_is_left"]
    assert named["prefix"] == "homeassistant"
    assert "homeassistant/+/placed/+/config" in named["remedy"]


async def test_a_connection_that_is_disconnected_is_taken_back(mosquitto: Mosquitto) -> None:
    publisher_setup = PublisherSetup("contoso", "fabrikam")
    publisher_setup.enroll("boardroom")
    publisher_setup.enroll("attic", connection="fabrikam")
    for connection in publisher_setup.connections:
        publisher_setup.report(connection)
    await earlier_run(mosquitto, publisher_setup, "attic", "boardroom")
    await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")
    assert (await kept(mosquitto)).keys() == expected("boardroom")


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "#",
        "a/#",
        "+",
        "$SYS",
        "/",
        "a//b",
        "a/",
        "ä",
        "a b",
        "\x00",
        "\ud800",
        "x" * 999,
        7,
        ["a"],
        {"a": 1},
    ],
    ids=range(16),
)
async def test_a_prefix_that_is_wrong_or_hostile_does_no_harm(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, prefix: object
) -> None:
    index = {"rooms": [{"id": "attic", "name": "n", "connection": "gone"}], "discovery": prefix}
    async with Subscriber(mosquitto, "#") as seen:
        await seen.publish("placed/rooms", json.dumps(index), retain=True)
        publisher = publisher_setup.publisher(mosquitto)
        async with running(publisher):
            await publisher.published()
            await becomes(lambda: not publisher._context.retained_rooms.to_clear)
            assert publisher.reconnects == 0
        await seen.caught_up()
    assert {a.topic.rpartition("/")[0] for a in seen.arrivals if not a.payload} <= {"placed/rooms/attic"}


@given(st.text() | st.text("a/+#$. -", max_size=5))
def test_an_earlier_prefix_is_one_that_can_be_published_under(prefix: str) -> None:
    found = earlier_discovery(json.dumps({"rooms": [], "discovery": prefix}).encode())
    assert found in (None, prefix)
    if found is not None:
        assert re.fullmatch(r"[!-~]+", found)
        assert not set(found) & set("+#$")
        assert all(found.split("/"))


# --- when Home Assistant starts -----------------------------------------------------------------------------


async def test_when_home_assistant_starts_everything_is_published_again(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)),
        Subscriber(mosquitto, "homeassistant/#") as seen,
    ):
        for topic in await announced(mosquitto, "boardroom", "library"):
            await seen.publish(topic, "", retain=True)
        assert await kept(mosquitto) == {}
        await seen.publish(BIRTH, "online")
        await announced(mosquitto, "boardroom", "library")


@pytest.mark.parametrize(
    ("payload", "retain"), [("offline", False), ("online", True), ("", False), (b"\xff", False)], ids=range(4)
)
async def test_only_a_start_is_answered(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, payload: str | bytes, *, retain: bool
) -> None:
    """One that the broker kept is of before, and all is being told anyway."""
    async with Subscriber(mosquitto, "#") as seen:
        if retain:
            await seen.publish(BIRTH, payload, retain=True)
        async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
            await announced(mosquitto, "boardroom", "library")
            if not retain:
                await seen.publish(BIRTH, payload)
            publisher_setup.board.enroll(
                "contoso", [room("boardroom"), replace(room("library"), name="Aula")]
            )
            await seen.until(lambda a: a.topic == LIBRARY and b"Aula" in a.payload)
            await seen.caught_up()
    assert len(seen.on(OCCUPANCY)) == 1


async def test_repeated_starts_of_home_assistant_cause_limited_publications(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)),
        Subscriber(mosquitto, "homeassistant/#") as seen,
    ):
        await announced(mosquitto, "boardroom", "library")
        for _ in range(3):
            await seen.publish(BIRTH, "online")
        await seen.until(lambda _: len(seen.on(OCCUPANCY)) > 1)
        for _ in range(200):
            await seen.publish(BIRTH, "online")
        assert len(seen.on(OCCUPANCY)) == 2


async def test_a_broker_that_does_not_allow_it_is_named(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(access=["topic readwrite placed/#", "topic read homeassistant/status"])
    with capture_logs() as log:
        publisher = publisher_setup.publisher(broker, home_assistant=DISCOVERY)
        async with running(publisher, published=False):
            await becomes(lambda: any(entry["event"] == "broker.refused_messages" for entry in log))
    refused = next(entry for entry in log if entry["event"] == "broker.refused_messages")
    assert refused["topics"] == "homeassistant/+/placed/+/config"


# --- pure ---------------------------------------------------------------------------------------------------

LEVELS = st.lists(st.text("ab-_/ä.", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)
IDS = st.text("ab-_", min_size=1, max_size=5) | st.sampled_from(["a_busy", "bridge", "a_busy_until", "rooms"])


@settings(deadline=None)
@given(st.tuples(LEVELS, IDS), st.tuples(LEVELS, IDS))
def test_no_two_rooms_are_ever_taken_for_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    if one == other:
        return
    first, second = (room_configs(room(room_id), base) for base, room_id in (one, other))
    assert first.keys().isdisjoint(second)
    for part in (lambda c: c["unique_id"], lambda c: c["device"]["identifiers"][0]):
        assert set(map(part, first.values())).isdisjoint(map(part, second.values()))


@settings(deadline=None)
@given(LEVELS, IDS)
def test_the_bridge_is_never_taken_for_a_room(base: str, room_id: str) -> None:
    rooms = room_configs(room(room_id), base)
    bridge = {message.topic: json.loads(message.payload) for message in discovery(base).bridge()}
    assert rooms.keys().isdisjoint(bridge)
    assert {c["unique_id"] for c in rooms.values()}.isdisjoint(c["unique_id"] for c in bridge.values())


def test_what_an_entity_is_called_is_never_the_end_of_another() -> None:
    names = [*BRIDGE_ENTITIES, *ROOM_ENTITIES]
    assert len(set(names)) == len(names)
    assert not [(a, b) for a in names for b in names if a.endswith(f"_{b}")]


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_what_a_room_is_called_never_gets_into_a_template(name: str, building: str, floor: str) -> None:
    """Nor into anything but the device's name and area, on one line and not without end."""
    plain = room_configs(room("boardroom"))
    named = room_configs(replace(room("boardroom"), name=name, building=building, floor=floor))
    assert plain.keys() == named.keys()
    for topic, config in named.items():
        device, usual = config.pop("device"), plain[topic].pop("device")
        assert config == plain[topic]
        for key in ("name", "suggested_area"):
            text = device.pop(key)
            usual.pop(key)
            assert text
            assert text.isprintable()
            assert len(text) <= 300
        assert device == usual


@pytest.mark.parametrize(
    ("building", "floor", "area"),
    [
        ("HQ", "3", "HQ, Floor 3"),
        ("HQ", "-1", "HQ, Floor -1"),
        ("HQ", "Mezzanine", "HQ, Mezzanine"),
        ("HQ", None, "HQ"),
        (None, "0", "Floor 0"),
        (None, None, "Boardroom"),
        (" \n", "", "Boardroom"),
    ],
)
def test_an_area_is_where_the_room_is_as_far_as_that_is_known(
    building: str | None, floor: str | None, area: str
) -> None:
    where = replace(room("boardroom"), building=building, floor=floor)
    assert {config["device"]["suggested_area"] for config in room_configs(where).values()} == {area}


def test_every_entity_expires_and_reason_entities_expire_last() -> None:
    known = "placed/rooms/boardroom/availability"
    without = set()
    for topic, config in room_configs(room("boardroom")).items():
        assert config["expire_after"] == 900
        assert config["availability_mode"] == "all"
        topics = [availability["topic"] for availability in config["availability"]]
        assert "placed/bridge/state" in topics
        if known not in topics:
            without.add(topic.split("/")[-2])
    assert without == {"boardroom_stale", "boardroom_reason"}
    expiries = {json.loads(m.payload)["object_id"]: json.loads(m.payload) for m in discovery().bridge()}
    assert expiries["placed_connection"]["expire_after"] == 90
    assert expiries["placed_problem"]["expire_after"] == 180


@pytest.mark.parametrize("prefix", ["", "a b", "#", "a/+", "/a", "a/", "ä", "$a", "x" * 201])
def test_a_prefix_that_no_topic_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="expected topic levels such as homeassistant"):
        HomeAssistant(discovery_prefix=prefix)
