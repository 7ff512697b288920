"""Actions on a room that a panel may ask for: the words of a command and of its reply. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from placed.domain.timestamps import timestamp

LONGEST_KEY = 128  # characters


class Action(StrEnum):
    """What may be asked for; spelled as in topics, settings and scopes."""

    CHECK_IN = "check-in"
    END = "end"
    EXTEND = "extend"
    BOOK = "book"


class Outcome(StrEnum):
    """What has become of a command: accepted at once, then one of the others."""

    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"  # written perhaps, and it cannot be read whether it was


class Refusal(StrEnum):
    """Why a command is refused, or uncertain: a closed list."""

    NOT_ALLOWED = "not_allowed"  # the settings, or the panel's scopes, do not allow the action
    NOT_CONFIGURED = "not_configured"  # the room's connection has no actions
    FORBIDDEN = "forbidden"  # the calendar service refuses the write, or the writer's fence is breached
    NO_SUCH_ROOM = "no_such_room"
    NO_SUCH_MEETING = "no_such_meeting"  # there is none, or it does not run, or cannot be checked in to, yet
    CHANGED = "changed"  # another meeting than the one that the command names, or other content for a key
    CONFLICT = "conflict"  # the time is taken
    TOO_LONG = "too_long"
    TOO_LATE = "too_late"
    EXPIRED = "expired"  # the command is too old, or has no time of its own
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"
    STANDBY = "standby"


class Channel(StrEnum):
    """How a command came."""

    MQTT = "mqtt"
    HTTP = "http"
    NO_SHOW = "no_show"  # the program itself: nobody checked in
    SENSOR = "sensor"  # the program itself: a sensor has noticed somebody


class Command(msgspec.Struct, frozen=True):
    """One command of a panel. Times are in UTC.

    Attributes:
        key: the panel's own, unique for each press of a button; a repeated key is done once.
        action: what is asked for.
        room: the room's id.
        issued_at: when the button was pressed; None if the sender does not state it.
        meeting: the start of the meeting that it is about; None for `book`.
        until: the new end, or the end of the booking; None for an action without one.
        channel: how it came.
        sender: the name of the panel's token; empty where MQTT does not report one. A name in a payload is
            a claim, and never stands here.
    """

    key: str
    action: Action
    room: str
    issued_at: datetime | None
    meeting: datetime | None = None
    until: datetime | None = None
    channel: Channel = Channel.MQTT
    sender: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """What a repetition under the same key must have in common with it."""
        return self.action, self.room, self.meeting, self.until


class Reply(msgspec.Struct, frozen=True):
    """What a panel is answered.

    Attributes:
        epoch, seq: of the room's statement from which on the outcome is in effect; before the room was read
            again, those of the statement that was current.
    """

    key: str
    action: Action
    room: str
    outcome: Outcome
    reason: Refusal | None
    epoch: int
    seq: int

    @property
    def final(self) -> bool:
        """Whether no other reply follows."""
        return self.outcome is not Outcome.ACCEPTED


def payload_time(moment: datetime | None) -> str | None:
    """A time of a command as it stands in payloads."""
    return None if moment is None else timestamp(moment)
