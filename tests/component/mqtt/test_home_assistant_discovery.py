"""What is published for Home Assistant: its documents, and again when Home Assistant starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from placed.domain.model import Reason, Status
from placed.settings.output_settings import HomeAssistant
from tests.component.mqtt.discovery_at_broker import announced, kept
from tests.component.mqtt.test_publisher import becomes
from tests.support.discovery_documents import BIRTH
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, room, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.mosquitto import Mosquitto

DISCOVERY = HomeAssistant(discovery=True)
OCCUPANCY = "homeassistant/binary_sensor/placed/boardroom_occupancy/config"
LIBRARY = "homeassistant/binary_sensor/placed/library_occupancy/config"


# --- the documents ------------------------------------------------------------------------------------------


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
    """A retained one is from an earlier start of Home Assistant, and all is being published anyway."""
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
