"""A broker's answer."""

from __future__ import annotations

from dataclasses import dataclass

FAILURE = 0x80  # and above: MQTT 5, 2.4; MQTT 3.1.1, 3.9.3
# MQTT 5, 2.4. The codes of success that differ from packet to packet are not reported to anybody.
_NAMES = {
    0x80: "Unspecified error",
    0x81: "Malformed packet",
    0x82: "Protocol error",
    0x83: "Implementation specific error",
    0x84: "Unsupported protocol version",
    0x85: "Client identifier not valid",
    0x86: "Bad user name or password",
    0x87: "Not authorized",
    0x88: "Server unavailable",
    0x89: "Server busy",
    0x8A: "Banned",
    0x8B: "Server shutting down",
    0x8C: "Bad authentication method",
    0x8D: "Keep alive timeout",
    0x8E: "Session taken over",
    0x8F: "Topic filter invalid",
    0x90: "Topic name invalid",
    0x91: "Packet identifier in use",
    0x92: "Packet identifier not found",
    0x93: "Receive maximum exceeded",
    0x94: "Topic alias invalid",
    0x95: "Packet too large",
    0x96: "Message rate too high",
    0x97: "Quota exceeded",
    0x98: "Administrative action",
    0x99: "Payload format invalid",
    0x9A: "Retain not supported",
    0x9B: "QoS not supported",
    0x9C: "Use another server",
    0x9D: "Server moved",
    0x9E: "Shared subscription not supported",
    0x9F: "Connection rate exceeded",
    0xA0: "Maximum connect time",
    0xA1: "Subscription identifiers not supported",
    0xA2: "Wildcard subscriptions not supported",
}
# With these a broker ends a connection for reasons of its own, or for the number of messages.
_OF_NO_MESSAGE = frozenset({0x88, 0x89, 0x8B, 0x8D, 0x8E, 0x93, 0x96, 0x9C, 0x9D, 0x9F, 0xA0})


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """A broker's answer: a reason code of MQTT 5, 2.4; in MQTT 3.1.1 that with the same meaning."""

    value: int

    @property
    def is_failure(self) -> bool:
        """Whether the broker refuses something."""
        return self.value >= FAILURE

    @property
    def may_be_about_a_message(self) -> bool:
        """Whether a single message may have made the broker end the connection."""
        return self.value not in _OF_NO_MESSAGE

    def __str__(self) -> str:
        return _NAMES.get(self.value, "Refused" if self.is_failure else "Success")

    @property
    def words(self) -> str:
        """The name and the number, such as `Not authorized (0x87)`."""
        return f"{self} (0x{self.value:02x})"
