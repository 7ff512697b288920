"""Commands of panels over a real broker, in both versions of MQTT."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from placed.domain.action import Action, Channel, Outcome, Refusal
from placed.domain.timestamps import timestamp
from placed.mqtt import unused_commands as counted
from placed.mqtt.client_options import Login
from placed.mqtt.command_intake import MOST_PER_MINUTE
from placed.mqtt.command_queue import OF_ONE
from placed.mqtt.command_subscription import CommandSubscription
from placed.settings.output_settings import Mqtt
from tests.support.deadlines import DEADLINE
from tests.support.followed_logs import followed_logs
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import IMPATIENT, PublisherSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from placed.mqtt.client.connect_options import ProtocolVersion
    from tests.support.mosquitto import Arrival, Mosquitto

    Start = Callable[..., Awaitable[Mosquitto]]


BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
BOOK = "placed/rooms/boardroom/command/book"
RESPONSE = "placed/rooms/boardroom/response"
OWN = "placed/responses/door-7"


@dataclass
class Site:
    """A subscription that runs, and a panel beside it."""

    sink: HandSink
    subscription: CommandSubscription
    heard: Subscriber

    async def send(
        self,
        payload: Mapping[str, Any] | bytes | None = None,
        *,
        topic: str = BOOK,
        response_topic: str | None = None,
        correlation: bytes | None = None,
        retain: bool = False,
    ) -> str:
        """Publishes a command, and returns its key."""
        key = str(uuid4())
        content = payload if isinstance(payload, bytes) else command(key, **(payload or {}))
        await self.heard.publish(
            topic, content, retain=retain, response_topic=response_topic, correlation=correlation
        )
        return key

    async def reply(self, key: str, outcome: str | None = None, *, topic: str = RESPONSE) -> Arrival:
        """The reply to a command; the first one, unless an outcome is given."""
        return await self.heard.until(
            lambda a: (
                a.topic == topic
                and a.document["key"] == key
                and (outcome is None or a.document["outcome"] == outcome)
            )
        )

    async def settled(self) -> None:
        """What was sent before is taken in and answered: its topic has had enough turns."""
        topic, answers = "placed/rooms/library/command/book", "placed/rooms/library/response"
        for key in await asyncio.gather(*(self.send(topic=topic) for _ in range(OF_ONE))):
            await self.reply(key, topic=answers)
        await self.heard.caught_up()

    @property
    def replies(self) -> list[Arrival]:
        """All replies but those of `settled`, and all else that anybody published beside commands."""
        return [
            a
            for a in self.heard.arrivals
            if "/command/" not in a.topic and a.topic != "placed/rooms/library/response"
        ]


def command(key: str, **members: Any) -> bytes:
    issued_at, until = timestamp(datetime.now(UTC)), "2030-01-08T09:30:00Z"
    document = {"key": key, "issued_at": issued_at, "meeting": None, "until": until, **members}
    return json.dumps(document).encode()


@asynccontextmanager
async def subscribed(
    broker: Mosquitto, protocol: ProtocolVersion = "5"
) -> AsyncIterator[tuple[HandSink, CommandSubscription]]:
    """What takes commands in, connected."""
    sink = HandSink(offers={"boardroom": EVERYTHING})
    login = Login.of(Mqtt(url=broker.url, protocol=protocol))
    subscription = CommandSubscription(login, sink, PublisherSetup.furnished().board, IMPATIENT)
    task = asyncio.create_task(subscription.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await subscription.connected.wait()
        yield sink, subscription
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def running(broker: Mosquitto, protocol: ProtocolVersion = "5") -> AsyncIterator[Site]:
    async with subscribed(broker, protocol) as (sink, subscription), Subscriber(broker) as heard:
        yield Site(sink, subscription, heard)


# --- what is done -------------------------------------------------------------------------------------------


@BOTH
async def test_a_command_is_accepted_and_then_answered_with_its_outcome(
    mosquitto: Mosquitto, protocol: ProtocolVersion
) -> None:
    async with running(mosquitto, protocol) as site:
        site.sink.at_once = None
        key = await site.send()
        accepted = await site.reply(key)
        assert accepted.document == {
            "key": key,
            "action": "book",
            "room": "boardroom",
            "outcome": "accepted",
            "reason": None,
            "epoch": 7,
            "seq": 3,
        }
        site.sink.executions[key].settle(Outcome.REFUSED, Refusal.CONFLICT)
        final = await site.reply(key, "refused")
        assert (final.document["reason"], final.document["seq"]) == ("conflict", 4)
        assert not accepted.retain
        if protocol == "5":
            assert accepted.expiry is not None
            assert 0 < accepted.expiry <= 60
            assert accepted.properties["ContentType"] == "application/json"
        (taken,) = site.sink.commands
        assert (taken.key, taken.action, taken.room) == (key, Action.BOOK, "boardroom")
        assert (taken.channel, taken.sender, taken.meeting) == (Channel.MQTT, "", None)
        assert taken.until == datetime(2030, 1, 8, 9, 30, tzinfo=UTC)
        assert taken.issued_at is not None


@pytest.mark.parametrize("action", list(Action))
async def test_every_action_has_a_topic(mosquitto: Mosquitto, action: Action) -> None:
    async with running(mosquitto) as site:
        key = await site.send(
            {"meeting": "2030-01-08T09:00:00Z"}, topic=f"placed/rooms/boardroom/command/{action}"
        )
        assert (await site.reply(key)).document["action"] == action
        assert site.sink.commands[0].meeting == datetime(2030, 1, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize("correlation", [b"", b"\0\xff\r\n" + bytes(range(252)), None])
async def test_replies_go_to_the_senders_topic_with_its_correlation_data(
    mosquitto: Mosquitto, correlation: bytes | None
) -> None:
    async with running(mosquitto) as site:
        site.sink.at_once = None
        key = await site.send(response_topic=OWN, correlation=correlation)
        accepted = await site.reply(key, topic=OWN)
        site.sink.executions[key].settle()
        done = await site.reply(key, "done", topic=OWN)
        assert [a.properties.get("CorrelationData") for a in (accepted, done)] == [correlation] * 2
        await site.settled()
        assert [a.topic for a in site.replies] == [OWN, OWN]


async def test_a_repeated_command_is_done_once_and_answered_each_time(mosquitto: Mosquitto) -> None:
    async with running(mosquitto) as site:
        key = str(uuid4())
        payload = command(key)
        for _ in range(3):
            await site.send(payload)
        await site.settled()
        assert [a.document["outcome"] for a in site.replies] == ["done"] * 3
        assert [one.key for one in site.sink.commands if one.room == "boardroom"] == [key]
        await site.send(command(key, until=None))
        await site.settled()
        assert (site.replies[-1].document["outcome"], site.replies[-1].document["reason"]) == (
            "refused",
            "changed",
        )


# --- where replies go ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic",
    [
        "placed/rooms/library/state",
        "placed/rooms/boardroom/command/end",
        "placed/bridge/state",
        "placed/responses",
        "placed/responses/",
        "placed/responses//x",
        "placed/responsesx/y",
        "other/responses/x",
        "$SYS/x",
        "placed/responses/" + "/".join("abcdefghijk"),
        "placed/responses/" + "x" * 300,
    ],
)
async def test_no_sender_can_have_placed_write_elsewhere(mosquitto: Mosquitto, topic: str) -> None:
    async with running(mosquitto) as site:
        key = await site.send(response_topic=topic)
        await site.reply(key)
        await site.settled()
        assert {a.topic for a in site.replies} == {RESPONSE}
        assert site.subscription.counts.counted == {counted.REPLY_ELSEWHERE: 1}


@pytest.mark.parametrize("correlation", [b"x" * 257, b"x" * 60_000])
async def test_long_correlation_data_is_refused_and_not_repeated(
    mosquitto: Mosquitto, correlation: bytes
) -> None:
    async with running(mosquitto) as site:
        key = await site.send(response_topic=OWN, correlation=correlation)
        refused = await site.reply(key, topic=OWN)
        assert (refused.document["outcome"], refused.document["reason"]) == ("refused", "not_allowed")
        assert "CorrelationData" not in refused.properties
        assert site.sink.commands == []


# --- floods, and brokers that go away -----------------------------------------------------------------------


async def test_a_flood_is_bounded_and_counted_and_delays_no_other_room(mosquitto: Mosquitto) -> None:
    with followed_logs() as logs:
        async with running(mosquitto) as site:
            await asyncio.gather(*(site.send() for _ in range(400)))
            await site.settled()
            done = [one for one in site.sink.commands if one.room == "boardroom"]
            counts = site.subscription.counts.counted
            assert 1 <= len(done) <= MOST_PER_MINUTE + 1
            assert len(done) + counts[counted.DROPPED] + counts[counted.THROTTLED] == 400
    assert len(logs.of("command.message_was_not_used")) <= 2


@BOTH
async def test_commands_are_taken_again_after_the_broker_was_away(
    mosquitto: Mosquitto, protocol: ProtocolVersion
) -> None:
    async with subscribed(mosquitto, protocol) as (sink, subscription):
        sink.at_once, first = None, str(uuid4())
        async with Subscriber(mosquitto) as panel:
            await panel.publish(BOOK, command(first))
            await panel.message(RESPONSE)
        await mosquitto.restart()
        sink.executions[first].settle()  # whose reply waits for the next connection
        async with asyncio.timeout(DEADLINE):
            await subscription.connected.wait()
        async with Subscriber(mosquitto) as panel:
            await panel.publish(BOOK, command(str(uuid4())))
            await panel.message(RESPONSE)
        assert len(sink.commands) == 2
