"""From a message on a command's topic to a command, or to a refusal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog

from placed.domain.action import Action, Channel, Command, Outcome, Refusal
from placed.domain.command_message import LARGEST, InvalidCommand, in_utc, read_payload
from placed.domain.rate_limit import RateLimit
from placed.mqtt import unused_commands as counted
from placed.mqtt.command_replies import RefusalDocument, Replies, ReplyTo
from placed.mqtt.command_topics import (
    LONGEST_CORRELATION,
    CommandTopic,
    is_response_topic,
    read_command_topic,
    response_topic,
)
from placed.mqtt.room_index import is_room_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.board.board import Board
    from placed.domain.command_message import CommandPayload
    from placed.domain.command_sink import CommandSink, Execution
    from placed.mqtt.client.publish_properties import Received
    from placed.mqtt.topics import Topics
    from placed.mqtt.unused_commands import UnusedCommands

MOST_PER_MINUTE = 60  # commands for a room, also those that the sink refuses, or knows already
MOST_RUNNING = 200  # commands whose outcome is waited for

_log = structlog.get_logger("placed.commands")


class CommandMessage(NamedTuple):
    """A message that waits to be taken in.

    Attributes:
        reply_to: where replies go; None if there is no such place.
        fault: why it is refused whatever its payload is.
    """

    topic: CommandTopic
    payload: bytes
    reply_to: ReplyTo | None
    fault: tuple[str, Refusal] | None


class CommandIntake:
    """Passes the commands of messages on, and has their outcomes published.

    Args:
        topics: of the daemon.
        sink: carries the commands out.
        board: knows the rooms.
        replies: publishes the replies.
        counts: of messages that are not used.
        steady: a clock that is never set, in seconds.
    """

    def __init__(  # noqa: PLR0913 - what it stands between
        self,
        topics: Topics,
        sink: CommandSink,
        board: Board,
        *,
        replies: Replies,
        counts: UnusedCommands,
        steady: Callable[[], float],
    ) -> None:
        self._topics = topics
        self._sink = sink
        self._board = board
        self._replies = replies
        self._counts = counts
        self._rate_limit = RateLimit(steady)
        self._running: set[asyncio.Task[None]] = set()

    def read(self, message: Received) -> CommandMessage | None:
        """Returns what of a message has to be kept until its turn; None if it is no command's."""
        topic = read_command_topic(self._topics, message.topic)
        if topic is None:
            self._counts.note(counted.NO_SUCH_ACTION)
            return None
        fault: tuple[str, Refusal] | None = None
        correlation = message.correlation
        if message.retain:
            fault = counted.RETAINED, Refusal.NOT_ALLOWED
        elif correlation is not None and len(correlation) > LONGEST_CORRELATION:
            fault = counted.CORRELATION, Refusal.NOT_ALLOWED
        elif topic.action not in set(Action):
            fault = counted.NO_SUCH_ACTION, Refusal.NOT_ALLOWED
        elif not is_room_id(topic.room) or self._board.statement(topic.room) is None:
            fault = counted.NO_SUCH_ROOM, Refusal.NO_SUCH_ROOM
        if correlation is not None and len(correlation) > LONGEST_CORRELATION:
            correlation = None
        payload = message.payload[: LARGEST + 1]
        return CommandMessage(topic, payload, self._reply_to(message, topic, correlation), fault)

    def take(self, message: CommandMessage) -> None:
        """Passes the command of a message on, or refuses it."""
        try:
            payload = read_payload(message.payload)
        except InvalidCommand as invalid:
            self._refuse(message, counted.NOT_A_COMMAND, Refusal.NOT_ALLOWED, invalid.key, invalid.text)
            return
        if message.fault is not None:
            self._refuse(message, *message.fault, payload.key)
            return
        room_id = message.topic.room
        if len(self._running) >= MOST_RUNNING or self._rate_limit.wait(room_id, MOST_PER_MINUTE):
            self._refuse(message, counted.THROTTLED, Refusal.THROTTLED, payload.key)
            return
        self._submit(message, payload)

    def close(self) -> None:
        """Waits for no outcome any more; the commands go on."""
        for task in self._running:
            task.cancel()

    # --- internals ---

    def _reply_to(self, message: Received, topic: CommandTopic, correlation: bytes | None) -> ReplyTo | None:
        wanted = message.response_topic
        if wanted is not None:
            if is_response_topic(self._topics, wanted):
                return ReplyTo(wanted, correlation)
            self._counts.note(counted.REPLY_ELSEWHERE, **_room(topic))
        if not is_room_id(topic.room):
            return None
        return ReplyTo(response_topic(self._topics, topic.room), correlation)

    def _submit(self, message: CommandMessage, payload: CommandPayload) -> None:
        topic = message.topic
        command = Command(
            key=payload.key,
            action=Action(topic.action),
            room=topic.room,
            issued_at=in_utc(payload.issued_at),
            meeting=in_utc(payload.meeting),
            until=in_utc(payload.until),
            channel=Channel.MQTT,
        )
        try:
            execution = self._sink.submit(command)
        except Exception:  # noqa: BLE001 - one command must not end all of them
            # Whether something was written is not known.
            _log.exception("command.failed", room=topic.room, action=topic.action)
            self._refuse(message, counted.FAILED, Refusal.UNCERTAIN, payload.key)
            return
        if message.reply_to is None:
            return
        self._replies.put(message.reply_to, execution.reply)
        if not execution.reply.final:
            task = asyncio.create_task(self._reply_at_the_end(execution, message.reply_to))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _reply_at_the_end(self, execution: Execution, to: ReplyTo) -> None:
        self._replies.put(to, await execution.final())

    def _refuse(
        self, message: CommandMessage, cause: str, reason: Refusal, key: str | None, text: str = ""
    ) -> None:
        """Counts a message that is not passed on, and answers it if it has a key."""
        room_id, action = message.topic
        self._counts.note(cause, **_room(message.topic), **({"problem": text} if text else {}))
        if key is None or message.reply_to is None:
            return
        statement = self._board.statement(room_id)
        seq = statement.seq if statement is not None else 0
        outcome = Outcome.UNCERTAIN if reason is Refusal.UNCERTAIN else Outcome.REFUSED
        refusal = RefusalDocument(key, action, room_id, outcome, reason, self._board.epoch, seq)
        self._replies.put(message.reply_to, refusal)


def _room(topic: CommandTopic) -> dict[str, str]:
    """The room, for a log line: anybody may have chosen it."""
    return {"room": topic.room} if is_room_id(topic.room) else {}
