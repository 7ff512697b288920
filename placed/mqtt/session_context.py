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
    discovery: Discovery | None  # None if Home Assistant discovery is off
    counters: Counters
    refusals: Refusals
    disconnect_causes: DisconnectCauses
    delivery_changed: asyncio.Event  # set when a message is refused, or taken again
    first_published: asyncio.Event
    instance: str
    idle: asyncio.Event  # set while everything that is known is published and acknowledged
    pulse: Pulse
