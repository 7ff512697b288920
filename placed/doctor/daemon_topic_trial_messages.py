"""The messages that `placed doctor` publishes to try the daemon's topics. Pure.

A panel cannot believe any of them: they are documents of a schema that does not exist, and the words for an
unknown room. If a daemon is online, the topics on which the broker holds its messages work and are not tried,
except those that the daemon's own health names as refused: what the broker holds there is older than a change
of its access rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from placed.mqtt.messages import packet_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from placed.mqtt.messages import Message
    from placed.mqtt.topics import Topics

_WORDS = {"availability": b"offline", "occupied": b"", "status": b"unknown"}
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class TrialMessage:
    """Tries one topic of the daemon.

    Attributes:
        topic: of the daemon.
        payload: published in place of the daemon's own.
        size: of the packet, in bytes.
        json: whether the payload is JSON.
    """

    topic: str
    payload: bytes
    size: int
    json: bool


def trial_messages(
    topics: Topics, messages: Iterable[Message], retained: Mapping[str, bytes], *, v5: bool
) -> tuple[list[TrialMessage], int]:
    """Returns the messages to publish, and how many topics work already.

    Args:
        topics: of the daemon.
        messages: those that the daemon will publish, one for each topic.
        retained: what the broker holds, by topic.
        v5: whether MQTT 5 is used.
    """
    state = _read_state(retained.get(topics.bridge_state))
    refused = _refused_to_daemon(retained.get(topics.bridge_health), state)
    planned, working = [], 0
    for message in messages:
        held = retained.get(message.topic)
        if state is not None and held is not None and not _is_config(topics, message.topic):
            named = refused & {message.topic, topics.pattern_of(message.topic)}
            if not named and _is_of_epoch(held, state.epoch):
                working += 1
                continue
        payload = _payload(topics, message, held)
        planned.append(TrialMessage(message.topic, payload, packet_size(message, v5=v5), message.json))
    return planned, working


def _payload(topics: Topics, message: Message, held: bytes | None) -> bytes:
    if message.topic == topics.bridge_state:
        return b'{"state":"offline","epoch":0}'
    if _is_config(topics, message.topic):
        # Home Assistant ignores a config that it knows already, and one that it cannot read.
        return held or b"placed doctor: a trial, please ignore".ljust(len(message.payload))
    if not message.json:
        return _WORDS[message.topic.rpartition("/")[2]]
    return b'{"schema":0,"trial":true}'.ljust(len(message.payload))


def _is_config(topics: Topics, topic: str) -> bool:
    return topics.discovery is not None and topic.startswith(f"{topics.discovery}/")


class _State(msgspec.Struct):
    state: str
    epoch: int = 0


def _read_state(payload: bytes | None) -> _State | None:
    """Returns the state of a daemon that is online; None if there is none."""
    try:
        state = msgspec.json.decode(payload or b"", type=_State)
    except _BROKEN:
        return None
    return state if state.state == "online" else None


class _Undelivered(msgspec.Struct):
    topics: str


class _Health(msgspec.Struct):
    epoch: int
    undelivered: list[_Undelivered] = []


def _refused_to_daemon(payload: bytes | None, state: _State | None) -> frozenset[str]:
    """Returns topics and patterns that the broker refuses, as the running daemon reports in its health."""
    try:
        health = msgspec.json.decode(payload or b"", type=_Health)
    except _BROKEN:
        return frozenset()
    if state is None or health.epoch != state.epoch:
        return frozenset()
    return frozenset(topic for group in health.undelivered for topic in group.topics.split())


class _OfEpoch(msgspec.Struct):
    epoch: int


def _is_of_epoch(payload: bytes, epoch: int) -> bool:
    """Returns whether the running daemon published a retained message; a plain word does not show it."""
    if not payload.startswith(b"{"):
        return True
    try:
        return msgspec.json.decode(payload, type=_OfEpoch).epoch == epoch
    except _BROKEN:
        return False
