"""Diagnoses why a connection failed: by the error itself, or else by probing the broker's address.

The daemon, the doctor and all other commands use it, so that each reports the same cause and remedy.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from placed.mqtt.connect_probe import Answer, Target, ask, greet
from placed.mqtt.connection_problems import (
    hung_up,
    no_answer,
    no_qos_1,
    no_retained_messages,
    not_mqtt,
    other_version,
    plain_port,
    tls_port,
    tls_trouble,
    unexplained,
    why_not_connected,
)

if TYPE_CHECKING:
    from placed.mqtt.client.connect_options import ConnectOptions, ProtocolVersion
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.connection_problems import Trouble

_OTHERS: dict[ProtocolVersion, ProtocolVersion] = {"5": "3.1.1", "3.1.1": "5"}


def what_it_lacks(client: BrokerClient) -> Trouble | None:
    """Returns what a broker that let us in does not have, by its own announcement."""
    if not client.takes_qos_1:
        return no_qos_1()
    return None if client.retains else no_retained_messages()


async def diagnose(error: Exception, options: ConnectOptions) -> Trouble:
    """Returns why an attempt to connect failed.

    Args:
        error: of the attempt.
        options: of the attempt.
    """
    known = why_not_connected(error, options.protocol)
    if not unexplained(error):
        return known
    return await _probe(Target(options.host, options.port, options.tls), options.protocol) or known


async def _probe(target: Target, protocol: ProtocolVersion) -> Trouble | None:
    """Returns None if the probe shows no more: nothing listens there, or everything works by now."""
    own = await ask(target, protocol)
    if found := await _wrong_port(target, own):
        return found
    if own.unknown_version:
        return other_version(protocol)
    if own.connack is not None:
        # It answers, but it may refuse our will: its QoS 1, or that it is retained.
        newest = own if protocol == "5" else await ask(target, "5")
        if newest.qos_0_alone:
            return no_qos_1()
        return no_retained_messages() if newest.keeps_nothing else None
    if own.unreached:
        return None
    return await _compare_versions(target, protocol, own)


async def _compare_versions(target: Target, protocol: ProtocolVersion, own: Answer) -> Trouble | None:
    """The broker ended the connection at our CONNECT, or is silent: tries the other version of MQTT."""
    # A broker that is just starting ends connections too. It is no accident if our version fails both before
    # and after the other one was answered.
    other = await ask(target, _OTHERS[protocol])
    if other.connack is not None and not other.unknown_version:
        again = await ask(target, protocol)
        if again.connack is None:
            return other_version(protocol, hangs_up=True)
        return None
    return no_answer(protocol) if own.silent else hung_up(protocol)


async def _wrong_port(target: Target, own: Answer) -> Trouble | None:
    """Returns the problem if the server speaks another protocol than that of `mqtt.url`."""
    if target.context is None:
        if own.tls or (own.connack is None and not own.unreached and (await greet(target)).tls):
            return tls_port()
    elif own.connack is None and not own.unreached:
        if isinstance(own.error, ssl.SSLError) and (found := tls_trouble(own.error)):
            return found
        if own.error is not None or own.silent:
            bare = await ask(Target(target.host, target.port), "3.1.1")
            if bare.connack is not None:
                return plain_port()
            return not_mqtt(bare.data) if bare.data and not bare.tls else None
    return not_mqtt(own.data) if own.data and own.connack is None else None
