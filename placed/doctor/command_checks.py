"""Tries the topics of commands and replies for `placed doctor`: whether commands arrive, and replies may go.

The trials are in a room that does not exist, and are no commands, so a running daemon only counts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.doctor.broker_rights import ERRORS, lost_finding
from placed.doctor.message_listener import listening
from placed.domain.exit_errors import CannotStart
from placed.driver import Finding, Verdict
from placed.mqtt.client.publish_properties import PublishProperties
from placed.mqtt.command_topics import command_filter, response_topic
from placed.mqtt.connection_problems import BrokerLost
from placed.mqtt.oneshot import connected
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from placed.mqtt.client.interface import BrokerClient
    from placed.settings.output_settings import Mqtt

_CHECK = "commands"
_ROOM = "placed-doctor"
_EXPIRING = PublishProperties(expiry=30)
_TRIAL = b"placed doctor: a trial"
_FORWARD = 5.0  # seconds for the broker to forward a message


async def check_commands(settings: Mqtt, wait: float = _FORWARD) -> Finding:
    """Returns the finding `commands`.

    Args:
        settings: of the broker, which can be reached.
        wait: seconds for the broker to forward a message that it has acknowledged.
    """
    topics = Topics(settings.base_topic)
    try:
        async with connected(settings, "doctor") as client:
            return await _try(client, topics, wait)
    except BrokerLost as lost:
        return Finding.of(_CHECK, Verdict.BAD, f"the broker: {lost}", lost.trouble.problem.remedy)
    except CannotStart as error:
        return Finding(_CHECK, Verdict.BAD, error.problems[0])
    except ERRORS as error:
        problem = lost_finding(error).problem
        return Finding(_CHECK, Verdict.BAD, problem)


async def _try(client: BrokerClient, topics: Topics, wait: float) -> Finding:
    commands = command_filter(topics)
    command = f"{topics.rooms}/{_ROOM}/command/trial"
    replies = [response_topic(topics, _ROOM), f"{topics.base}/responses/{_ROOM}"]
    codes = await client.subscribe([commands, *replies], live_only=True)
    if codes[0].is_failure:
        return _unreadable(commands, str(codes[0]))
    async with listening(client) as listener:
        sent: set[str] = set()
        for topic in (command, *replies):
            # Nobody has to let placed itself send commands, so only a refused reply is a mistake.
            code = await client.publish(topic, _TRIAL, retain=False, properties=_EXPIRING)
            if code is None:
                sent.add(topic)
            elif topic != command:
                return _unwritable(topic, str(code))
        readable = {topic for topic, code in zip(replies, codes[1:], strict=True) if not code.is_failure}
        expected = sent & (readable | {command})
        await listener.wait_until(lambda: expected <= listener.received.keys(), wait)
        missing = expected - listener.received.keys()
    if command not in sent:
        text = f"{commands}: subscribed; as this login may not write there, the arrival is not tried"
        return Finding.of(_CHECK, Verdict.GOOD, text)
    if command in missing:
        return _unreadable(commands, "a message there was acknowledged and did not arrive")
    if missing:
        return _unwritable(min(missing), "a reply there was acknowledged and did not arrive")
    return Finding.of(_CHECK, Verdict.GOOD, f"commands arrive on {commands}, and replies can be published")


def _unreadable(topic: str, why: str) -> Finding:
    text, remedy = f"panels' commands do not arrive: {why}", f"let this login read {topic} at the broker"
    return Finding.of(_CHECK, Verdict.BAD, text, remedy)


def _unwritable(topic: str, why: str) -> Finding:
    text = f"panels get no replies on {topic}: {why}"
    remedy = "let this login write rooms/+/response and responses/# of the base topic at the broker"
    return Finding.of(_CHECK, Verdict.BAD, text, remedy)
