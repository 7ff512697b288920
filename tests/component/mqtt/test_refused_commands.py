"""Commands of panels that are refused: what is answered, and what only the log shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from placed.mqtt import unused_commands as counted
from tests.component.mqtt.test_command_subscription import BOOK, BOTH, OWN, command, running
from tests.support.followed_logs import followed_logs
from tests.support.mosquitto import Subscriber

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.mqtt.client.connect_options import ProtocolVersion
    from tests.support.mosquitto import Mosquitto

    Start = Callable[..., Awaitable[Mosquitto]]


@BOTH
async def test_a_retained_command_is_never_done(mosquitto: Mosquitto, protocol: ProtocolVersion) -> None:
    async with Subscriber(mosquitto) as before:
        await before.publish(BOOK, command(str(uuid4())), retain=True)
    async with running(mosquitto, protocol) as site:
        if protocol == "5":  # MQTT 3.1.1 shows the flag only of those that the broker had kept
            key = await site.send(retain=True)
            assert (await site.reply(key)).document["reason"] == "not_allowed"
        await site.settled()
        assert {one.room for one in site.sink.commands} == {"library"}
        assert site.subscription.counts.counted[counted.RETAINED] == 1


@pytest.mark.parametrize(
    "members",
    [
        {"name": "Ada Lovelace"},
        {"until": "soon"},
        {"until": 7},
        {"meeting": ["2030-01-08T09:00:00Z"]},
        {"issued_at": "2030-01-08T09:00:00"},
        {"until": "0001-01-01T00:00:00+14:00"},
    ],
)
async def test_an_invalid_command_with_a_key_is_refused(
    mosquitto: Mosquitto, members: dict[str, Any]
) -> None:
    with followed_logs() as logs:
        async with running(mosquitto) as site:
            key = await site.send(members, response_topic=OWN, correlation=b"7")
            refused = await site.reply(key, topic=OWN)
            assert (refused.document["outcome"], refused.document["reason"]) == ("refused", "not_allowed")
            assert (refused.document["epoch"], refused.properties["CorrelationData"]) == (7, b"7")
            assert site.sink.commands == []
    assert "Ada" not in str(logs.entries)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"\xff", b"null", b"[" * 3000, b'{"key":"1"}', b'{"key":7}', b" " * 5000]
)
async def test_of_a_payload_without_a_key_only_a_line_in_the_log_remains(
    mosquitto: Mosquitto, payload: bytes
) -> None:
    async with running(mosquitto) as site:
        await site.send(payload)
        await site.settled()
        assert site.replies == []
        assert site.subscription.counts.counted == {counted.NOT_A_COMMAND: 1}


@pytest.mark.parametrize(
    ("topic", "reason", "room", "action"),
    [
        ("placed/rooms/nowhere/command/book", "no_such_room", "nowhere", "book"),
        ("placed/rooms/No Where/command/book", "no_such_room", "No Where", "book"),
        ("placed/rooms/boardroom/command/explode", "not_allowed", "boardroom", "explode"),
    ],
)
async def test_an_unknown_room_or_action_is_refused(
    mosquitto: Mosquitto, topic: str, reason: str, room: str, action: str
) -> None:
    async with running(mosquitto) as site:
        key = await site.send(topic=topic, response_topic=OWN)
        refused = (await site.reply(key, topic=OWN)).document
        assert (refused["outcome"], refused["reason"]) == ("refused", reason)
        assert (refused["room"], refused["action"]) == (room, action)
        assert site.sink.commands == []


async def test_a_room_that_has_no_valid_id_has_no_topic_for_a_reply(mosquitto: Mosquitto) -> None:
    async with running(mosquitto) as site:
        await site.send(topic="placed/rooms/No Where/command/book")
        await site.send(topic="placed/rooms/boardroom/command/Ex plode")
        await site.settled()
        assert site.replies == []
