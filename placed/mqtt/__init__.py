"""The way out over MQTT: what the board says, on the topics that panels and building systems subscribe to."""

from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher

__all__ = ["BridgeInfo", "Publisher"]
