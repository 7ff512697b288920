"""What is published is what `docs/asyncapi.yaml` describes, all of it and nothing else."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from placed.disconnect.topic_clearing import clear
from placed.doctor.broker_checks import check_broker
from placed.domain.calendar_event_detection import EventKind
from placed.domain.model import Status
from placed.mqtt.publisher_context import Timing
from placed.settings.output_settings import Mqtt
from tests.component.mqtt.test_command_subscription import command, subscribed
from tests.component.mqtt.test_home_assistant_buttons import EVERYTHING, sent
from tests.component.mqtt.test_home_assistant_buttons import publisher as publisher_with_buttons
from tests.contracts.asyncapi_contract import Contract
from tests.contracts.scripted_day import add_library_sensor, configure, day, two_connections
from tests.support.mosquitto import Arrival, Mosquitto, Subscriber
from tests.support.publisher_setup import PublisherSetup, cut, running

if TYPE_CHECKING:
    from pathlib import Path

    from placed.mqtt.client.connect_options import ProtocolVersion

CONTRACT = Contract.read()
OF_THE_DOCTOR = {"publishTrial", "clearTrial"}
OF_PANELS = {"replyInRoom", "replyToSender"}


def words(arrivals: list[Arrival], topic: str) -> set[str]:
    """All plain texts of one kind of topic of rooms."""
    return {a.text for a in arrivals if a.topic.endswith(f"/{topic}") and a.payload}


async def test_a_day_publishes_exactly_the_described_messages(tmp_path: Path) -> None:
    async with two_connections(tmp_path) as (deployment, group):
        add_library_sensor(deployment)
        async with day(deployment, group) as today:
            await today.a_sensor_reports()
            await today.passes()
        heard = today.panel.arrivals
        output = CONTRACT.hold(heard)
        async with deployment.listener("#") as late:
            await late.caught_up()
        CONTRACT.hold(late.arrivals)
    unsaid = [
        str(described_message)
        for described_message in CONTRACT.described_messages
        if described_message not in output
    ]
    assert {described_message.partition(":")[0] for described_message in unsaid} == OF_THE_DOCTOR | OF_PANELS
    assert words(heard, "status") == {*Status}
    assert words(heard, "occupied") == {"ON", "OFF"}
    assert words(heard, "presence") == {"ON", "OFF"}
    assert words(heard, "availability") == {"online", "offline"}
    events = {a.document["event"] for a in heard if a.topic.endswith("/event")}
    assert events == {*EventKind}
    assert {a.topic.split("/")[0] for a in heard} == {"placed", "homeassistant"}


async def test_another_base_topic_is_described_too(tmp_path: Path) -> None:
    async with two_connections(tmp_path) as (deployment, _):
        configure(deployment, base_topic="placed/hq", plain_topics=False)
        async with deployment.listener("#") as panel, deployment.daemon():
            await panel.caught_up()
        CONTRACT.hold(panel.arrivals)
        assert {a.topic.split("/")[1] for a in panel.arrivals if a.topic.startswith("placed/")} == {"hq"}
        index = next(a for a in panel.arrivals if a.topic == "placed/hq/rooms")
        assert set(index.document["rooms"][0]["topics"]) == {"state", "availability", "event"}


async def test_mqtt_3_publishes_the_same_without_properties(tmp_path: Path) -> None:
    async with two_connections(tmp_path) as (deployment, _):
        configure(deployment, protocol="3.1.1")
        async with deployment.daemon():
            pass
        (deployment.state_directory / "journal.db").unlink()  # or it would know the rooms at once
        async with deployment.listener("#") as panel, AsyncExitStack() as stack:
            async with deployment.outage():  # or the calendars might be read before the broker is reached
                await stack.enter_async_context(deployment.daemon(ready=False))
                await panel.message("placed/rooms/library/status", "unknown")
            await panel.message("placed/rooms/library/status", "free")
        CONTRACT.hold(panel.arrivals, v5=False)


async def test_the_will_is_described(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    try:
        publisher = PublisherSetup().publisher(broker, timing=Timing(will_delay=0, first_pause=60))
        async with Subscriber(broker, "#") as panel, running(publisher):
            cut(publisher)
            will = await panel.until(lambda a: a.topic == "placed/bridge/state" and "offline" in a.text)
        assert CONTRACT.recognise(will).operation == "publishOffline"
        CONTRACT.hold(panel.arrivals)
    finally:
        await broker.kill()


async def test_buttons_for_home_assistant_are_described(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    try:
        publisher = publisher_with_buttons(broker, PublisherSetup.furnished(), EVERYTHING)
        async with Subscriber(broker, "#") as panel, running(publisher):
            await panel.message("homeassistant/button/placed/library_book_60/config")
            await panel.caught_up()
        CONTRACT.hold(panel.arrivals)
        assert CONTRACT.recognise_command("placed/rooms/boardroom/command/extend", sent("extend_15"))
    finally:
        await broker.kill()


async def test_what_the_doctor_tries_is_described(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    try:
        async with Subscriber(broker, "#") as panel:
            await check_broker(Mqtt(url=broker.url))
            await panel.caught_up()
        assert {
            described_message.operation for described_message in CONTRACT.hold(panel.arrivals)
        } == OF_THE_DOCTOR
    finally:
        await broker.kill()


async def test_what_is_cleared_of_a_connection_that_was_disconnected_is_described(tmp_path: Path) -> None:
    async with two_connections(tmp_path) as (deployment, _), deployment.listener("#") as panel:
        async with deployment.daemon():
            await panel.message("homeassistant/sensor/placed/library_reason/config")
        await panel.caught_up()
        heard = len(panel.arrivals)
        await clear(Mqtt(url=deployment.broker.url), "list")
        await panel.caught_up()
        output = {described_message.operation for described_message in CONTRACT.hold(panel.arrivals[heard:])}
        assert output >= {"clearState", "clearStatus", "clearEntity", "publishIndex"}
        assert [topic for topic in panel.latest if "library" in topic] == []


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_replies_to_commands_are_described(tmp_path: Path, protocol: ProtocolVersion) -> None:
    broker = Mosquitto(tmp_path)
    await broker.start()
    own, action = "placed/responses/door/7", "placed/rooms/boardroom/command/book"
    try:
        async with subscribed(broker, protocol), Subscriber(broker, "#") as panel:
            for payload in (command(str(uuid4())), b'{"key":"' + str(uuid4()).encode() + b'","x":1}'):
                assert CONTRACT.recognise_command(action, payload) == (b"x" not in payload)
                await panel.publish(action, payload)
                await panel.publish(action, payload, response_topic=own, correlation=b"7")
            await panel.until(lambda _: sum("/command/" not in a.topic for a in panel.arrivals) == 4)
    finally:
        await broker.kill()
    replies = [a for a in panel.arrivals if "/command/" not in a.topic]
    wanted = OF_PANELS if protocol == "5" else {"replyInRoom"}
    held = CONTRACT.hold(replies, v5=protocol == "5")
    assert {described_message.operation for described_message in held} == wanted


ONLINE = Arrival(
    "placed/bridge/state",
    b'{"state":"online","epoch":7}',
    retain=True,
    at=0,
    properties={
        "PayloadFormatIndicator": 1,
        "ContentType": "application/json",
        "MessageExpiryInterval": 90,
        "UserProperty": [("instance", "0a1b2c3d")],
    },
    qos=1,
)


def test_a_message_that_is_as_described_is_recognised() -> None:
    assert CONTRACT.recognise(ONLINE).operation == "publishOnline"


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ONLINE, topic="placed/bridge/stat"),
        replace(ONLINE, topic="placed/hq/annex/bridge"),
        replace(ONLINE, payload=b'{"state":"online","epoch":7,"more":1}'),
        replace(ONLINE, payload=b'{"state":"online"}'),
        replace(ONLINE, payload=b"online"),
        replace(ONLINE, payload=b""),
        replace(ONLINE, retain=False),
        replace(ONLINE, qos=0),
        replace(ONLINE, properties={**ONLINE.properties, "MessageExpiryInterval": 91}),
        replace(ONLINE, properties={k: v for k, v in ONLINE.properties.items() if "Expiry" not in k}),
        replace(ONLINE, properties={**ONLINE.properties, "ContentType": "text/plain"}),
        replace(ONLINE, properties={**ONLINE.properties, "UserProperty": [("who", "me")]}),
        replace(ONLINE, properties={**ONLINE.properties, "ResponseTopic": "x"}),
    ],
    ids=range(13),
)
def test_a_message_that_differs_is_not(wrong: Arrival) -> None:
    """That these tests would notice."""
    with pytest.raises(AssertionError, match="is not described"):
        CONTRACT.recognise(wrong)


def test_a_state_that_contradicts_itself_is_not_as_described() -> None:
    state = CONTRACT.document["components"]["messages"]["State"]["examples"][0]["payload"]
    schema = {"$ref": "#/components/schemas/State"}
    assert CONTRACT.problems(schema, json.loads(json.dumps(state))) == []
    for change in (
        {"occupied": False},
        {"status": "free"},
        {"status": "unknown"},
        {"current": None},
        {"reason": "forbidden"},
        {"valid_until": "2026-10-06T08:44:31+00:00"},
        {"current": {**state["current"], "private": True, "title": "Budget"}},
        {"current": {**state["current"], "attendees": []}},
    ):
        assert CONTRACT.problems(schema, {**state, **change}), change
