"""How long a client waits, in seconds."""

from __future__ import annotations

ANSWER = 10.0  # for the broker to answer any packet
REACH = 10.0  # for TCP and TLS, for each address of the broker
GOODBYE = 2.0  # to disconnect
KEEP_ALIVE = (
    15  # between two packets that show that we are there; a dead connection is noticed within twice this
)
V311_CONNACK = 5.0  # aiomqtt does not notice earlier that the broker has hung up instead
