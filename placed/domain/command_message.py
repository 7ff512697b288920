"""The messages by which panels ask for an action, over MQTT and HTTP; both are checked strictly. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from placed.domain.action import Action

LARGEST = 4096  # bytes of a payload or a body
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_KEY = re.compile(_UUID)
_YEARS = range(2000, 2200)  # beyond, arithmetic with dates may overflow

_Key = Annotated[str, msgspec.Meta(pattern=rf"\A{_UUID}\Z")]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class InvalidCommand(Exception):
    """A message is no command.

    Args:
        text: why; it holds nothing of the message.
        key: the key in it, if that can be read.
    """

    def __init__(self, text: str, key: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.key = key


class CommandPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is published to `rooms/<id>/command/<action>`. Times are in UTC."""

    key: _Key
    issued_at: _Moment | None = None
    meeting: _Moment | None = None
    until: _Moment | None = None

    def __post_init__(self) -> None:
        _check_years(self.issued_at, self.meeting, self.until)


class CommandBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is posted to `/api/v1/rooms/<id>/actions`; the key is a header field. Times are in UTC."""

    action: Action
    meeting: _Moment | None = None
    until: _Moment | None = None

    def __post_init__(self) -> None:
        _check_years(self.meeting, self.until)


class _WithKey(msgspec.Struct):
    key: _Key


_read_payload = msgspec.json.Decoder(CommandPayload).decode
_read_body = msgspec.json.Decoder(CommandBody).decode
_read_key = msgspec.json.Decoder(_WithKey).decode
_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_key(text: str) -> bool:
    """Whether this can be the key of a command: a UUID with hyphens."""
    return _KEY.fullmatch(text) is not None


def read_payload(payload: bytes) -> CommandPayload:
    """The command in an MQTT message.

    Raises:
        InvalidCommand: it holds none.
    """
    if len(payload) > LARGEST:
        raise InvalidCommand(f"it is larger than {LARGEST:,} bytes")
    try:
        return _read_payload(payload)
    except _ERRORS as error:
        raise InvalidCommand(_why(error), _key_in(payload)) from None


def read_body(body: bytes) -> CommandBody:
    """The command in the body of a request.

    Raises:
        InvalidCommand: it holds none.
    """
    try:
        return _read_body(body)
    except _ERRORS as error:
        raise InvalidCommand(_why(error)) from None


def in_utc(moment: datetime | None) -> datetime | None:
    """A time of a message, in UTC."""
    return None if moment is None else moment.astimezone(UTC)


def _check_years(*moments: datetime | None) -> None:
    if any(moment is not None and moment.year not in _YEARS for moment in moments):
        raise ValueError(f"a time is not between the years {_YEARS.start} and {_YEARS.stop - 1}")


def _key_in(payload: bytes) -> str | None:
    try:
        return _read_key(payload).key
    except _ERRORS:
        return None


def _why(error: Exception) -> str:
    """What is wrong, without what the message holds."""
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        if "unknown field" in text:
            return "it has a member that is not known"
        if "Invalid enum value" in text:
            return f"the action is none of {', '.join(Action)}"
        if "matching regex" in text:
            return "the key is not a UUID"
        return text[0].lower() + text[1:]
    return "it is not JSON in UTF-8"
