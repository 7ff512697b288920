"""Messages as the clients take and return them: their properties, and a message from the broker."""

from __future__ import annotations

from typing import NamedTuple


class PublishProperties(NamedTuple):
    """Properties of a message in MQTT 5; MQTT 3.1.1 has none.

    Attributes:
        expiry: seconds after which the broker discards the message.
        content_type: the media type of a text in UTF-8; None leaves it open.
        user: pairs of a name and a value.
        correlation: the Correlation Data of a reply.
    """

    expiry: int | None = None
    content_type: str | None = None
    user: tuple[tuple[str, str], ...] = ()
    correlation: bytes | None = None


class Received(NamedTuple):
    """A message from the broker.

    Attributes:
        retain: whether the broker had kept it before we subscribed; over a subscription to live messages
            alone (MQTT 5), whether it was published to be kept.
        expiry: seconds from now until it expires; None in MQTT 3.1.1, or if it does not expire.
        user: its user properties.
        response_topic: where its sender wants a reply; anybody may have chosen it. None in MQTT 3.1.1.
        correlation: what the sender wants to see in the reply.
    """

    topic: str
    payload: bytes
    retain: bool
    expiry: int | None = None
    user: tuple[tuple[str, str], ...] = ()
    response_topic: str | None = None
    correlation: bytes | None = None
