"""Detects that another program has taken the daemon's place at the broker, with the same client id.

MQTT 5 reports it with a reason code when it ends the session. Mosquitto before 2.0.15, and every broker in
MQTT 3.1.1, end the connection without one (eclipse-mosquitto/mosquitto#2607). Then it shows by the retained
`bridge/state`: after a reconnect it holds the message of another running program.
"""

from __future__ import annotations

import msgspec

from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.connection_problems import TAKEN_OVER, reason


class ReplacedByAnother(MqttError):
    """Another instance has published in our place while we were disconnected."""


class _BridgeState(msgspec.Struct):
    state: str
    epoch: int


_read_state = msgspec.json.Decoder(_BridgeState).decode


def is_takeover(error: BaseException) -> bool:
    """Returns whether a connection was lost because another client has taken over."""
    return isinstance(error, ReplacedByAnother) or reason(error) == TAKEN_OVER


def is_from_another_instance(payload: bytes, instance: str | None, *, epoch: int, ours: str) -> bool:
    """Returns whether another running program published this `bridge/state`.

    `instance` is its user property; None in MQTT 3.1.1, where only the epoch distinguishes two programs.
    """
    try:
        state = _read_state(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return state.epoch != epoch if instance is None else instance != ours


def most_specific(group: BaseExceptionGroup[MqttError]) -> BaseException:
    """Returns the error that shows the cause best: that another has taken over, or with a reason code."""
    errors: list[BaseException] = []
    groups: list[BaseException] = [group]
    while groups:
        error = groups.pop(0)
        if isinstance(error, BaseExceptionGroup):
            groups.extend(error.exceptions)
        else:
            errors.append(error)
    return next((e for e in errors if isinstance(e, ReplacedByAnother) or reason(e) is not None), errors[0])
