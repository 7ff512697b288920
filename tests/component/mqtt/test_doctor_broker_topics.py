"""`placed doctor` tries the topics and the sizes that the daemon will publish, beside one that runs, too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor.broker_checks import check_broker
from placed.doctor.messages_of_the_daemon import expected_messages
from placed.driver import Verdict
from placed.mqtt.topics import Topics
from placed.settings.schema import Settings
from tests.component.mqtt.test_publisher import becomes
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import room, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.driver import Finding
    from tests.support.mosquitto import Mosquitto
    from tests.support.publisher_setup import PublisherSetup

    Start = Callable[..., Awaitable[Mosquitto]]

GOOD, BAD = Verdict.GOOD, Verdict.BAD
PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
OWN = ["topic read #", "topic readwrite placed/bridge/#", "topic readwrite placed/rooms"]


async def trial(
    broker: Mosquitto,
    *rooms: str,
    patience: float = DEADLINE,
    discovery: bool = False,
    **mqtt: Any,
) -> list[Finding]:
    """The findings after `broker`, with these rooms or two."""
    settings = Settings.model_validate(
        {
            "mqtt": {"url": broker.url, **mqtt},
            "home_assistant": {"discovery": discovery},
            "connections": [{"name": "contoso", "driver": "microsoft365"}],
        }
    )
    assert settings.mqtt is not None
    messages = expected_messages(
        settings,
        [room(name) for name in rooms or ("boardroom", "library")],
        version="0.1",
        now=datetime.now(UTC),
    )
    found = await check_broker(
        settings.mqtt,
        patience,
        topics=Topics.of(settings.mqtt, settings.home_assistant),
        messages=list(messages),
    )
    assert found[0].check == "broker"
    assert found[0].verdict is GOOD
    return found[1:]


def broken(found: list[Finding]) -> Finding:
    (publish,) = [finding for finding in found if finding.verdict is BAD]
    assert publish.check == "publish"
    assert "wait a minute" not in publish.remedy
    return publish


@PROTOCOLS
@pytest.mark.parametrize("discovery", [False, True])
async def test_where_all_is_well_every_topic_was_published_on_and_nothing_stays(
    mosquitto: Mosquitto, protocol: str, *, discovery: bool
) -> None:
    async with Subscriber(mosquitto, "#") as panel:
        found = await trial(mosquitto, protocol=protocol, discovery=discovery)
        await panel.caught_up()
    assert [finding.verdict for finding in found] == [GOOD, GOOD]
    number = 4 + 2 * 5 + (2 + 2 * 7) * discovery
    assert f"all {number} topics of the daemon" in found[0].text
    topics = {arrival.topic for arrival in panel.arrivals}
    assert len(topics) == number + 1
    assert {"placed/rooms/library/state", "placed/rooms/library/event", "placed/bridge/health"} <= topics
    assert ("homeassistant/sensor/placed/library_status/config" in topics) is discovery
    for topic, arrival in panel.latest.items():
        assert not arrival.retain, topic
        if topic.endswith("/occupied"):
            assert arrival.payload == b""
    async with Subscriber(mosquitto, "#") as late:
        await late.caught_up()
    assert late.arrivals == []


@pytest.mark.slow  # with MQTT 3.1.1 a refusal shows only after a time-out
@PROTOCOLS
@pytest.mark.parametrize(
    "denied",
    [
        "placed/rooms/library/state",
        "placed/rooms/boardroom/occupied",
        "placed/rooms",
        "placed/bridge/health",
        "homeassistant/sensor/placed/library_reason/config",
    ],
)
async def test_one_topic_that_may_not_be_written_is_named(start: Start, protocol: str, denied: str) -> None:
    broker = await start(
        access=[
            "topic read #",
            "topic readwrite placed/#",
            "topic write homeassistant/#",
            f"topic deny {denied}",
        ]
    )
    publish = broken(await trial(broker, protocol=protocol, discovery=True, patience=0.5))
    assert f" {denied}" in f" {publish.text}"
    assert publish.text.count("placed/") + publish.text.count("placed_") == 1
    assert publish.remedy.endswith(f" {denied}")


@PROTOCOLS
async def test_rooms_that_may_not_be_written_are_named_by_their_pattern(start: Start, protocol: str) -> None:
    publish = broken(await trial(await start(access=OWN), protocol=protocol, patience=0.5))
    assert "and 5 more" in publish.text
    assert "placed/rooms/+/state" in publish.remedy
    assert "placed/rooms/+/occupied" in publish.remedy


async def test_home_assistants_topics_that_may_not_be_written_are_named(start: Start) -> None:
    broker = await start(access=["topic readwrite placed/#", "topic read #"])
    assert [finding.verdict for finding in await trial(broker)] == [GOOD, GOOD]
    publish = broken(await trial(broker, discovery=True))
    assert "homeassistant/+/placed/+/config" in publish.remedy


async def test_a_packet_size_that_the_broker_announces_is_compared(start: Start) -> None:
    broker = await start(extra=["max_packet_size 300"])
    publish = broken(await trial(broker))
    assert "placed/rooms (" in publish.text
    assert "placed/rooms/boardroom/state (" in publish.text
    assert "max_packet_size" in publish.remedy


@pytest.mark.slow  # the broker hangs up several times, and placed connects again after a pause
@PROTOCOLS
@pytest.mark.parametrize("limit", ["message_size_limit", "max_packet_size"])
async def test_a_size_at_which_the_broker_hangs_up_is_found(start: Start, protocol: str, limit: str) -> None:
    """The index of 40 rooms is beyond it; a room's state is not."""
    broker = await start(extra=[f"{limit} 3000"])
    names = [f"room-{number}" for number in range(40)]
    publish = broken(await trial(broker, *names, protocol=protocol, patience=2))
    assert "placed/rooms (" in publish.text
    assert publish.text.count("placed/") == 1
    assert limit in publish.remedy


@PROTOCOLS
async def test_a_daemon_that_runs_is_not_disturbed(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, protocol: str
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto, protocol=protocol)) as task,
        Subscriber(mosquitto, "placed/#") as panel,
    ):
        await panel.message("placed/rooms/library/state")
        await panel.caught_up()
        before, shown = len(panel.arrivals), panel.latest
        found = await trial(mosquitto, protocol=protocol)
        assert [finding.verdict for finding in found] == [GOOD, GOOD]
        assert "kept from the running daemon" in found[0].text
        await panel.caught_up()
        during = panel.arrivals[before:]
        events = {a.topic for a in during if a.topic.endswith("/event")}
        assert {a.topic for a in during} - events - {"placed/bridge/doctor", "placed/bridge/health"} == set()
        assert len(events) == 2
        assert all(b'"schema":0' in a.payload for a in during if a.topic in events)
        assert not task.done()
    assert {topic: shown[topic].payload for topic in shown if "/rooms/" in topic}


@PROTOCOLS
async def test_beside_a_daemon_a_topic_that_is_refused_to_it_is_found(
    start: Start, publisher_setup: PublisherSetup, protocol: str
) -> None:
    broker = await start(access=["topic readwrite #", "topic deny placed/rooms/library/state"])
    async with (
        running(publisher_setup.publisher(broker, protocol=protocol), published=False),
        Subscriber(broker) as panel,
    ):
        await panel.message("placed/rooms/library/status")
        publish = broken(await trial(broker, protocol=protocol, patience=0.5))
    assert "placed/rooms/library/state" in publish.text


@pytest.mark.slow  # it waits for the daemon to publish again
@PROTOCOLS
async def test_beside_a_daemon_a_topic_that_is_refused_to_it_by_now_is_found(
    start: Start, publisher_setup: PublisherSetup, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker still holds what the daemon published there before the access rules were changed."""
    monkeypatch.setattr("placed.mqtt.read_back.FIRST", 0.1)
    monkeypatch.setattr("placed.mqtt.read_back.BETWEEN", 0.05)
    monkeypatch.setattr("placed.mqtt.read_back._TIMEOUT", 0.3)
    library = [f"topic write placed/rooms/library/{leaf}" for leaf in ("availability", "occupied", "status")]
    bridge = ["topic write placed/bridge/#", "topic write placed/rooms", "topic write placed/rooms/+/event"]
    rules = ["topic read #", *bridge, *library, "topic write placed/rooms/boardroom/#"]
    broker = await start(access=[*rules, "topic write placed/rooms/library/state"])
    publisher = publisher_setup.publisher(broker, protocol=protocol)
    async with running(publisher), Subscriber(broker) as panel:
        await panel.message("placed/rooms/library/state")
        broker.access(rules)
        broker.reload()
        await becomes(lambda: "Reloading config." in "".join(broker.log))
        publisher_setup.book("library")
        await becomes(lambda: bool(publisher.undelivered))
        await panel.until(lambda a: a.topic == "placed/bridge/health" and bool(a.document["undelivered"]))
        publish = broken(await trial(broker, protocol=protocol, patience=0.5))
    assert "placed/rooms/library/state" in publish.text


async def test_an_existing_discovery_config_is_published_again_unchanged(mosquitto: Mosquitto) -> None:
    topic = "homeassistant/sensor/placed/library_status/config"
    async with Subscriber(mosquitto, "homeassistant/#") as hass:
        await hass.publish(topic, '{"known": true}', retain=True)
        await trial(mosquitto, discovery=True)
        await hass.caught_up()
        assert {arrival.payload for arrival in hass.on(topic)} == {b'{"known": true}'}
        others = {arrival.payload for arrival in hass.arrivals if arrival.topic != topic}
        assert all(payload.startswith(b"placed doctor: a trial") for payload in others)


@pytest.mark.slow  # thousands of messages go to a real broker
async def test_thousands_of_topics_are_tried(mosquitto: Mosquitto) -> None:
    names = [f"room-{number}" for number in range(1500)]
    publish, _ = await trial(mosquitto, *names, protocol="3.1.1")
    assert "all 7,504 topics" in publish.text
