"""What all sessions of a publisher share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.liveness import Pulse
    from placed.mqtt.client_factory import ClientFactory
    from placed.mqtt.disconnect_causes import DisconnectCauses
    from placed.mqtt.discovery.home_assistant import Discovery
    from placed.mqtt.messages import BridgeInfo
    from placed.mqtt.refused_topics import Refusals
    from placed.mqtt.retained_rooms import RetainedRooms
    from placed.mqtt.topics import Topics

# Seconds without an acknowledgement or a new attempt to connect, after which something must have got stuck:
# `online` is said every 30 s, an answer is awaited for 10 s, and a connection for some 30 s at most.
SILENCE = 120.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds between what is said by itself."""

    online: float = 30.0
    health: float = 60.0
    calm: float = 1.0  # between two of the same that change often
    reborn: float = 10.0  # between two births of Home Assistant that are answered
    first_pause: float = 1.0
    longest_pause: float = 10.0
    steady: float = 10.0  # a connection that lasted so long was a good one
    goodbye: float = 2.0
    will_delay: float = 15.0


@dataclass(slots=True)
class Counters:
    """Counted since the start."""

    published: int = 0  # taken by the broker
    number: int = 0  # of the message that was sent last, or was to be
    expired: int = 0  # not sent, since their time was over when their turn came
    connections: int = 0
    online: int = 0  # of these, over how many we said that we are there


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What every session is given."""

    client_factory: ClientFactory
    board: Board
    topics: Topics
    info: BridgeInfo
    plain: bool
    now: Callable[[], datetime]
    timing: Timing
    retained_rooms: RetainedRooms
    discovery: Discovery | None  # None where Home Assistant is not told of the rooms
    counters: Counters
    refusals: Refusals
    disconnect_causes: DisconnectCauses
    delivery_news: asyncio.Event  # something was refused, or is taken again
    first_published: asyncio.Event
    instance: str
    idle: asyncio.Event  # set while all that is known is told and acknowledged
    pulse: Pulse
