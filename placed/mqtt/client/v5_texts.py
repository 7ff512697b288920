"""Looks for text that is not UTF-8 in a packet of MQTT 5, before the codec reads it.

The codec reports such text by a panic, which writes a stack trace to stderr.
"""

from __future__ import annotations

from placed.mqtt.client.mqtt_error import MqttError

_PUBLISH = 3
# Bytes before the properties, by packet type: CONNACK, PUBACK, SUBACK, UNSUBACK, DISCONNECT.
_BEFORE_PROPERTIES = {2: 2, 4: 3, 9: 2, 11: 2, 14: 1}
_LENGTH_BYTES = 4  # of a variable byte integer
_NUMBER, _TEXT, _TWO_TEXTS, _BYTES = 0, 1, 2, -1  # 2.2.2.2: what a property has
_SIZES = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
_KINDS = {
    **dict.fromkeys((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F), _TEXT),
    0x26: _TWO_TEXTS,
    **dict.fromkeys((0x09, 0x16), _BYTES),
    0x0B: _NUMBER,
}


def check_texts(view: memoryview) -> None:
    """Checks the texts of the packet that begins here. What else is wrong with it, the codec reports.

    Raises:
        IndexError: the packet is not complete.
        MqttError: a text is not UTF-8.
    """
    kind = view[0] >> 4
    at = _BEFORE_PROPERTIES.get(kind)
    if at is None and kind != _PUBLISH:
        return
    length, start = variable_integer(view, 1)
    if at is not None and length <= at:
        return
    body = view[start : start + length]
    if len(body) < length:
        raise IndexError
    try:
        if at is None:
            at = _after_text(body, 0) + (2 if view[0] & 0b110 else 0)  # QoS 1 and 2 have a packet id
        _check_properties(body, at)
    except IndexError:
        return


def _check_properties(body: memoryview, at: int) -> None:
    size, at = variable_integer(body, at)
    properties, at = body[at : at + size], 0
    while at < len(properties):
        name, at = properties[at], at + 1
        if name in _SIZES:
            at += _SIZES[name]
            continue
        kind = _KINDS.get(name)
        if kind is None:
            return
        if kind == _NUMBER:
            _, at = variable_integer(properties, at)
        elif kind == _BYTES:
            at += 2 + int.from_bytes(properties[at : at + 2])
        for _ in range(kind):
            at = _after_text(properties, at)


def _after_text(view: memoryview, at: int) -> int:
    """Checks the text that begins there, and returns where what follows it begins."""
    start = at + 2
    end = start + int.from_bytes(view[at:start])
    if end > len(view) or start > len(view):
        raise IndexError
    try:
        str(view[start:end], "utf-8")
    except UnicodeDecodeError:
        raise MqttError("the broker sends a malformed packet: text that is not UTF-8") from None
    return end


def variable_integer(view: memoryview, at: int) -> tuple[int, int]:
    """Returns the number that begins there, and where what follows it begins.

    Raises:
        IndexError: it is not complete.
        MqttError: it has too many bytes.
    """
    value = 0
    for place in range(_LENGTH_BYTES):
        byte = view[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the last byte: MQTT 5, 1.5.5
            return value, at + place + 1
    raise MqttError("the broker sends a malformed packet: its length is invalid")
