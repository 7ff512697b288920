"""What all sessions of a publisher share."""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from placed.mqtt.client_factory import ClientFactory
from placed.mqtt.messages import offline
from placed.mqtt.refused_topic_schedule import Refusals
from placed.mqtt.removed_rooms import RetainedRooms
from placed.mqtt.suspect_messages import DisconnectCauses
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.state_document import Statement
    from placed.domain.task_heartbeat import TaskHeartbeat
    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.discovery.home_assistant import Discovery
    from placed.mqtt.messages import BridgeInfo, Message
    from placed.settings.output_settings import HomeAssistant, Mqtt

# The publisher's deadline for the watchdog: seconds without an acknowledgement or a new attempt to connect.
# `online` is published every 30 s; an acknowledgement takes 10 s at most, and a connection some 30 s.
SILENCE = 120.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Intervals and limits in seconds."""

    online: float = 30.0
    health: float = 60.0
    debounce: float = 1.0  # between two messages of the same kind that change often
    birth_interval: float = 10.0  # between two birth messages of Home Assistant that are answered
    first_pause: float = 1.0
    longest_pause: float = 10.0
    stable_after: float = 10.0  # a connection that lasted so long was a good one
    stop_timeout: float = 2.0
    will_delay: float = 15.0


@dataclass(slots=True)
class Counters:
    """Counted since the start."""

    published: int = 0  # messages that the broker took
    number: int = 0  # of the message that was sent or left out last
    expired: int = 0  # messages that were not sent, since they had expired when their turn came
    connections: int = 0
    online: int = 0  # connections over which `online` was published


@dataclass(slots=True)
class PublisherContext:
    """What every session is given. Only `info` changes, with the settings.

    Attributes:
        discovery: None if Home Assistant discovery is off.
        instance: distinguishes this running program from others; a user property of `bridge/state`.
        offline: the message `offline`; also the will.
        delivery_changed: set when a message is refused, or taken again.
        first_published: set when the broker has taken the first initial publication.
        idle: set while everything that is known is published and acknowledged.
    """

    client_factory: ClientFactory
    board: Board
    topics: Topics
    info: BridgeInfo
    plain: bool
    now: Callable[[], datetime]
    timing: Timing
    retained_rooms: RetainedRooms
    discovery: Discovery | None
    counters: Counters
    refusals: Refusals
    disconnect_causes: DisconnectCauses
    instance: str
    offline: Message
    heartbeat: TaskHeartbeat
    delivery_changed: asyncio.Event
    first_published: asyncio.Event
    idle: asyncio.Event

    def may_hold_presence(self, statement: Statement) -> bool:
        """Whether the broker may hold a presence of the statement's room."""
        return (
            statement.presence is not None
            or statement.had_presence
            or self.retained_rooms.holds_presence(statement.room.id)
        )

    def with_earlier_presence(self, statement: Statement) -> Statement:
        """Returns the statement as one whose presence is announced, if an earlier run did that.

        While a sensor may still report, the announcement of the earlier run stays.
        """
        room_id = statement.room.id
        if not self.retained_rooms.holds_presence(room_id) or self.board.may_show_presence(room_id):
            return statement
        return replace(statement, had_presence=True)

    @classmethod
    def of(  # noqa: PLR0913 - everything that the publisher is given
        cls,
        settings: Mqtt,
        board: Board,
        *,
        now: Callable[[], datetime],
        info: BridgeInfo,
        home_assistant: HomeAssistant,
        login: ConnectOptions | None,
        timing: Timing,
        heartbeat: TaskHeartbeat,
    ) -> Self:
        """Returns the context for these settings; for the arguments see `Publisher`."""
        topics = Topics.of(settings, home_assistant)
        instance = secrets.token_hex(4)
        will = offline(topics, board.epoch, instance)
        return cls(
            client_factory=ClientFactory(settings, will, timing.will_delay, login),
            board=board,
            topics=topics,
            info=info,
            plain=settings.plain_topics,
            now=now,
            timing=timing,
            retained_rooms=RetainedRooms(topics, home_assistant.discovery_prefix),
            discovery=_discovery(topics, info, home_assistant) if topics.discovery else None,
            counters=Counters(),
            refusals=Refusals(topics, random.random),
            disconnect_causes=DisconnectCauses(topics.pattern_of),
            instance=instance,
            offline=will,
            heartbeat=heartbeat,
            delivery_changed=asyncio.Event(),
            first_published=asyncio.Event(),
            idle=asyncio.Event(),
        )


def _discovery(topics: Topics, info: BridgeInfo, settings: HomeAssistant) -> Discovery:
    from placed.mqtt.discovery.home_assistant import Discovery  # noqa: PLC0415 - where discovery is on

    return Discovery(topics, info, settings.status_topic)
