"""The discovery documents of rooms for Home Assistant, without a broker."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from placed.domain.model import Room

BIRTH = "homeassistant/status"


def discovery(base: str = "placed") -> Discovery:
    info = BridgeInfo("0.1", timedelta(minutes=15), ("contoso",))
    return Discovery(Topics(base, discovery="homeassistant"), info, BIRTH)


def room_configs(room: Room, base: str = "placed") -> dict[str, Any]:
    """The discovery documents of a room, by topic."""
    return {message.topic: json.loads(message.payload) for message in discovery(base).room(room)}
