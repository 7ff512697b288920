"""Where and how a client connects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from placed.mqtt.client import timeouts

if TYPE_CHECKING:
    import ssl

    from placed.mqtt.client.publish_properties import PublishProperties

ProtocolVersion = Literal["5", "3.1.1"]


@dataclass(frozen=True, slots=True)
class Will:
    """The message that the broker publishes when the connection is lost.

    Attributes:
        delay: seconds that the broker waits before, in MQTT 5.
    """

    topic: str
    payload: bytes
    retain: bool = False
    delay: int = 0
    properties: PublishProperties | None = None


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """Where and how a client connects.

    Attributes:
        tls: None for a connection without TLS.
        clean_start: whether the broker forgets an earlier session of this client identifier.
        session_expiry: seconds that the broker keeps the session after the connection, in MQTT 5.
        largest_incoming: bytes of the largest packet that we read, in MQTT 5.
        queue: how many messages may wait to be read, of which the newest are dropped; None: any number.
    """

    host: str
    port: int
    client_id: str
    protocol: ProtocolVersion = "5"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    keep_alive: int = timeouts.KEEP_ALIVE
    will: Will | None = None
    clean_start: bool = True
    session_expiry: int = 0
    largest_incoming: int | None = None
    queue: int | None = None
