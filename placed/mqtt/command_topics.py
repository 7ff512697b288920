"""The topics of commands and of their replies. A Response Topic is the sender's choice: untrusted. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from placed.mqtt.topics import Topics

LONGEST_CORRELATION = 256  # bytes
LONGEST_TOPIC = 600  # characters of a command's topic; an id has 200 at most
_LONGEST_RESPONSE_TOPIC = 256  # bytes below `responses/`
_MOST_LEVELS = 8  # below `responses/`; some brokers end the connection at a topic with many levels
_ACTION = re.compile(r"[a-z-]{1,32}")


class CommandTopic(NamedTuple):
    """The room and the action of a command, as its topic names them. Neither needs to exist."""

    room: str
    action: str


def command_filter(topics: Topics) -> str:
    """The filter of all commands."""
    return f"{topics.rooms}/+/command/+"


def command_topic(topics: Topics, room_id: str, action: str) -> str:
    """Where a command for a room is published."""
    return f"{topics.rooms}/{room_id}/command/{action}"


def read_command_topic(topics: Topics, topic: str) -> CommandTopic | None:
    """The room and the action; None if it is not the topic of a command."""
    prefix = f"{topics.rooms}/"
    if not topic.startswith(prefix) or len(topic) > LONGEST_TOPIC + len(prefix):
        return None
    match topic.removeprefix(prefix).split("/"):
        case [room, "command", action] if _ACTION.fullmatch(action):
            return CommandTopic(room, action)
        case _:
            return None


def panel_filter(topics: Topics) -> str:
    """The filter of the topics on which panels show that they are there."""
    return f"{topics.rooms}/+/panel"


def read_panel_topic(topics: Topics, topic: str) -> str | None:
    """The room whose panel a message is about; None if it is not such a topic."""
    prefix = f"{topics.rooms}/"
    if not topic.startswith(prefix) or len(topic) > LONGEST_TOPIC + len(prefix):
        return None
    match topic.removeprefix(prefix).split("/"):
        case [room, "panel"]:
            return room
        case _:
            return None


def response_topic(topics: Topics, room_id: str) -> str:
    """Where replies go that have no topic of their own."""
    return f"{topics.rooms}/{room_id}/response"


def is_response_topic(topics: Topics, topic: str) -> bool:
    """Whether a reply may be published there: below `responses/`, and nowhere else.

    The broker does not check whether the sender may write there, and placed may write everywhere.
    """
    prefix = f"{topics.base}/responses/"
    if not topic.startswith(prefix):
        return False
    rest = topic.removeprefix(prefix)
    try:
        size = len(rest.encode())
    except UnicodeEncodeError:
        return False
    levels = rest.split("/")
    return (
        size <= _LONGEST_RESPONSE_TOPIC
        and len(levels) <= _MOST_LEVELS
        and all(levels)
        and rest.isprintable()
        and not set(rest) & set("+#")
    )
