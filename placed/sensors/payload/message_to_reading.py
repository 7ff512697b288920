"""From a sensor's message to a reading: what is in it, by the expressions of the settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from placed.domain.presence import Reading
from placed.sensors.payload.expression import compiled
from placed.sensors.payload.value import count_of, moment_of, presence_of, states_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LARGEST_PAYLOAD = 64 * 1024  # bytes

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some programs put it before JSON; RFC 8259, 8.1: it may be ignored
_decode = msgspec.json.Decoder(Any).decode


class NoReading(StrEnum):
    """Why a message holds no reading."""

    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NO_VALUE = "no_value"  # the message has no such field, or it is null
    UNUSABLE_VALUE = "unusable_value"  # the field holds something that is neither present nor empty
    UNAVAILABLE = "unavailable"  # the device is reported as lost


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a message states: a reading, or why it holds none; and the device that it names."""

    reading: Reading | None = None
    nothing: NoReading | None = None
    device: str | None = None
    measured_at: datetime | None = None  # as the message states it


class PayloadMapping:
    """The expressions of one sensor, compiled.

    Args:
        presence: the expression of the presence, None where only people are counted.
        count: the expression of the number of people.
        at: the expression of when it was measured; without it that is when the message arrived.
        device: the expression of the device's name, where the message names it.

    Raises:
        ValueError: an expression is not JMESPath.
    """

    def __init__(
        self,
        presence: str | None = None,
        count: str | None = None,
        at: str | None = None,
        device: str | None = None,
    ) -> None:
        self._presence = compiled(presence) if presence is not None else None
        self._count = compiled(count) if count is not None else None
        self._at = compiled(at) if at is not None else None
        self._device = compiled(device) if device is not None else None

    def read(self, payload: bytes, arrived_at: datetime, *, retained: bool = False) -> Mapped:
        """Returns what a message states.

        Args:
            payload: the message, JSON or plain text.
            arrived_at: when it arrived.
            retained: whether the broker has kept it for an unknown time.
        """
        if len(payload) > LARGEST_PAYLOAD:
            return Mapped(nothing=NoReading.TOO_LARGE)
        message = decoded(payload)
        if message is None and not _is_null(payload):
            return Mapped(nothing=NoReading.NOT_UTF8)
        device = _name(self._device(message)) if self._device else None
        measured_at = moment_of(self._at(message)) if self._at else None
        of_presence = self._presence(message) if self._presence else None
        of_count = self._count(message) if self._count else None
        if states_unavailable(of_presence) or states_unavailable(of_count):
            return Mapped(nothing=NoReading.UNAVAILABLE, device=device, measured_at=measured_at)
        count, present = count_of(of_count), presence_of(of_presence)
        if count is not None:
            present = present or count > 0  # somebody whom one of them notices is there
        if present is None:
            has_value = of_presence is not None or of_count is not None
            nothing = NoReading.UNUSABLE_VALUE if has_value else NoReading.NO_VALUE
            return Mapped(nothing=nothing, device=device, measured_at=measured_at)
        unknown_age = retained and measured_at is None
        reading = Reading(present, measured_at or arrived_at, count, unknown_age)
        return Mapped(reading=reading, device=device, measured_at=measured_at)


def decoded(payload: bytes) -> object:
    """Returns a message as JSON values, or as its text if it is no JSON; None if it is neither."""
    payload = payload.removeprefix(_BYTE_ORDER_MARK)
    try:
        return _decode(payload)
    except (msgspec.DecodeError, RecursionError):
        pass
    except UnicodeDecodeError:
        return None
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None


def _is_null(payload: bytes) -> bool:
    return payload.strip() == b"null"


def _name(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def availability(
    expression: Callable[[object], object], offline: frozenset[str], payload: bytes
) -> bool | None:
    """Returns whether a message of an availability topic states that the device is there; None if neither.

    Every text that is not one of the words for `offline` means that it is there, as brokers and bridges
    have many words for it.
    """
    if len(payload) > LARGEST_PAYLOAD:
        return None
    value = expression(decoded(payload))
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value:
        return value.strip().lower() not in offline
    return None
