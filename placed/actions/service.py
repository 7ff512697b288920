"""Takes commands, carries each out once, and knows what has become of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from placed.actions.audit import log_outcome
from placed.actions.calendar_commands import CalendarCommands
from placed.actions.check_in_service import CheckInService
from placed.actions.command_outcome import UNCERTAIN, CommandOutcome, Effect, refused
from placed.actions.command_rate import CommandRate
from placed.actions.execution import CommandExecution
from placed.actions.known_commands import KnownCommands
from placed.actions.plan import plan
from placed.actions.release_check import release_plan
from placed.domain.action import LONGEST_KEY, Action, Channel, Outcome, Refusal, Reply
from placed.store.command_store import CommandRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from placed.actions.connection_actions import ConnectionActions
    from placed.actions.order_run import Planner
    from placed.actions.plan import Plan, Situation
    from placed.board.board import Board
    from placed.domain.action import Command
    from placed.domain.clock import Clock
    from placed.domain.command_sink import Offer
    from placed.domain.model import Meeting, Room
    from placed.store.command_store import CommandStore

_OLDEST = timedelta(seconds=30)  # of a command; also how far ahead a panel's clock may be
_AT_THE_END = 3.0  # seconds for commands under way when the program ends; then the next start looks for them
_SHOWN_WITHIN = 5.0  # seconds that a reply waits for the room's statement to show what was done
_LOOK_EVERY = 0.25  # seconds
_PRUNE_EVERY = 600.0  # seconds
_INTERRUPTED = 600.0  # seconds after the start in which the outcome of an interrupted command is looked for
_AGAIN = 5.0  # seconds

log = structlog.get_logger("placed.actions")


class ActionService:
    """Carries out commands. See `placed.domain.command_sink.CommandSink`.

    Args:
        board: the rooms.
        clock: what time it is.
        store: keeps commands and check-ins for the next start.
        connections: returns what may be written to the rooms of each connection, by its name.
        read_soon: asks for readings of a room, by its connection and id, after a write.
        believable: whether the time is known; without it nothing is carried out.

    Attributes:
        desk: takes check-ins.
        counts: commands with a final reply, by action, outcome and reason.
        on_use: called with the id of a room whose panel somebody uses.
    """

    def __init__(  # noqa: PLR0913 - what commands need
        self,
        *,
        board: Board,
        clock: Clock,
        store: CommandStore,
        connections: Callable[[], Mapping[str, ConnectionActions]],
        read_soon: Callable[[str, str], None],
        believable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._board = board
        self._clock = clock
        self._store = store
        self._connections = connections
        self._believable = believable
        self.desk = CheckInService(board, clock, store)
        self.counts: Counter[tuple[Action, Outcome, Refusal | None]] = Counter()
        self.on_use: Callable[[str], None] = lambda _room_id: None
        self._known = KnownCommands()
        self._rate = CommandRate()
        self._calendars = CalendarCommands(board, clock, store, self.desk, read_soon)
        self._running: set[asyncio.Task[None]] = set()
        self._interrupted: list[tuple[CommandRecord, CommandExecution]] = []

    # --- what panels ask ---

    @property
    def configured(self) -> bool:
        """Whether some connection has actions."""
        return any(connection.allowed for connection in self._connections().values())

    def offer(self, room_id: str) -> Offer | None:
        """What the settings allow in a room; None if nothing, or if there is no such room."""
        found = self._found(room_id)
        offer = found[1].offer if found is not None else None
        if offer is None or Action.EXTEND not in offer.actions:
            return offer
        return replace(offer, extension=self._calendars.extension(room_id, offer.longest))

    def submit(self, command: Command) -> CommandExecution:
        """Takes a command; returns at once. One with a known key is not carried out again."""
        if command.channel is not Channel.SENSOR:
            self.on_use(command.room)
        known = self._known.find(command.key)
        if known is not None:
            if known.command.content == command.content:
                return known
            return self._not_taken(command, Refusal.CHANGED)
        moment = self._clock.steady()
        refusal = self._refusal(command)
        wait = self._rate.wait(command.room, moment) if refusal is None else 0.0
        if wait:  # the same command may be sent again later
            return self._not_taken(command, Refusal.THROTTLED, wait)
        if refusal is not None:
            execution = CommandExecution(command, self._reply(command, refused(refusal)))
            self._count(execution)
        else:
            self._rate.count(command.room, moment)
            execution = CommandExecution(command, self._reply(command, CommandOutcome(Outcome.ACCEPTED)))
            self._begin(self._carry_out(execution), command)
        self._known.add(execution, self._clock.now())
        return execution

    def release(self, command: Command, meeting: Meeting, still: Callable[[], bool]) -> CommandExecution:
        """Takes the room out of a meeting to which nobody has checked in: a command of the program itself.

        `still` is asked after the calendar was read, just before the write.
        """
        known = self._known.find(command.key)
        if known is not None:
            return known
        found = self._found(command.room)
        if found is None or found[1].writer is None:
            execution = CommandExecution(command, self._reply(command, refused(Refusal.NOT_CONFIGURED)))
            self._count(execution)
        else:
            planner = partial(release_plan, meeting=meeting, still=still)
            execution = CommandExecution(command, self._reply(command, CommandOutcome(Outcome.ACCEPTED)))
            self._begin(self._carry_out(execution, planner), command)
        self._known.add(execution, self._clock.now())
        return execution

    def outcome(self, key: str) -> Reply | None:
        """The latest reply to a command of the last 24 hours; None if the key is not known."""
        known = self._known.find(key)
        return known.reply if known is not None else None

    # --- its life ---

    def restore(self) -> None:
        """Restores the commands and the check-ins of the run before."""
        self.desk.restore()
        for connection, record in self._store.load():
            reply = record.reply or self._reply(record.command, CommandOutcome(Outcome.ACCEPTED))
            execution = CommandExecution(record.command, reply)
            execution.connection = connection
            self._known.restore(execution, record.at)
            self._calendars.restore(record)
            if record.reply is None:
                self._interrupted.append((record, execution))

    async def run(self) -> None:
        """Finds out what has become of interrupted commands, and forgets old ones, until it is cancelled."""
        for record, execution in self._interrupted:
            self._begin(self._resolve(record, execution), record.command)
        self._interrupted.clear()
        while True:
            gone = self._known.prune(self._clock.now())
            await asyncio.to_thread(self._store.forget, gone)
            await self._clock.sleep(_PRUNE_EVERY)

    async def close(self, patience: float = _AT_THE_END) -> None:
        """Waits so many seconds for the commands under way, then leaves them to the next start."""
        if self._running:
            _, running = await asyncio.wait(self._running, timeout=patience)
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)  # none of them uses a writer any more

    # --- internals ---

    def _found(self, room_id: str) -> tuple[Room, ConnectionActions] | None:
        statement = self._board.statement(room_id)
        if statement is None:
            return None
        connection = self._connections().get(statement.room.connection)
        return (statement.room, connection) if connection is not None else None

    def _refusal(self, command: Command) -> Refusal | None:
        """Why a command is not accepted, as far as no calendar has to be read for it."""
        found = self._found(command.room)
        if found is None:
            return Refusal.NO_SUCH_ROOM
        if not self._believable():
            return Refusal.UNAVAILABLE
        if command.issued_at is None or abs(self._clock.now() - command.issued_at) > _OLDEST:
            return Refusal.EXPIRED
        return found[1].refusal(command.action) or (
            None if 0 < len(command.key) <= LONGEST_KEY else Refusal.NOT_ALLOWED
        )

    def _begin(self, work: Coroutine[None, None, None], command: Command) -> None:
        task = asyncio.create_task(work, name=f"command {command.key}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _carry_out(self, execution: CommandExecution, planner: Planner | None = None) -> None:
        command = execution.command
        record = CommandRecord(command, self._clock.now())
        try:
            ending = await self._run(execution, record, planner or self._plan)
        except Exception:
            log.exception("action.failed", room=command.room, action=command.action.value)
            ending = UNCERTAIN
        await self._end(execution, record, ending)

    async def _run(
        self, execution: CommandExecution, record: CommandRecord, planner: Planner
    ) -> CommandOutcome:
        command = record.command
        found = self._found(command.room)
        if found is None:
            return refused(Refusal.NO_SUCH_ROOM)
        execution.connection = found[0].connection
        if command.action is Action.CHECK_IN:
            return await self.desk.check_in(command)
        return await self._calendars.carry_out(execution, record, planner, *found)

    def _plan(self, command: Command, situation: Situation) -> Plan | Refusal:
        """What to write for a command that a reload may have forbidden since it was accepted."""
        found = self._found(command.room)
        refusal = Refusal.NOT_CONFIGURED if found is None else found[1].refusal(command.action)
        return refusal or plan(command, situation)

    async def _resolve(self, record: CommandRecord, execution: CommandExecution) -> None:
        """Finds out what has become of a command during which the process ended."""
        command = record.command
        try:
            ending = None
            until = self._clock.steady() + _INTERRUPTED
            while ending is None and self._clock.steady() < until:
                found = self._found(command.room)
                ending = await self._calendars.look_for(record, *found) if found is not None else None
                if ending is None:
                    await self._clock.sleep(_AGAIN)
        except Exception:
            log.exception("action.failed", room=command.room, action=command.action.value)
            ending = UNCERTAIN
        now = self._clock.now()
        self._known.renew(execution, now)
        await self._end(execution, replace(record, at=now), ending or UNCERTAIN)

    async def _end(self, execution: CommandExecution, record: CommandRecord, ending: CommandOutcome) -> None:
        command = execution.command
        if ending.effect is not None:
            await self._until_shown(command.room, ending.effect)
        reply = self._reply(command, ending)
        ended = replace(record, reply=reply, intent=execution.intent or record.intent)
        await asyncio.to_thread(self._store.save, execution.connection, ended)
        execution.end(reply)
        self._count(execution)

    async def _until_shown(self, room_id: str, effect: Effect) -> None:
        """Waits until the room's statement shows what was done; not for long."""
        for _ in range(int(_SHOWN_WITHIN / _LOOK_EVERY)):
            known = self._board.known_of(room_id)
            if known is None or known.schedule is None or effect.is_shown(known.schedule, self._board.policy):
                return
            await self._clock.sleep(_LOOK_EVERY)

    def _not_taken(self, command: Command, reason: Refusal, wait: float | None = None) -> CommandExecution:
        """Refuses a command, and does not remember it. No line of the audit: there may be many."""
        reply = self._reply(command, refused(reason))
        self.counts[reply.action, reply.outcome, reply.reason] += 1
        return CommandExecution(command, reply, wait)

    def _count(self, execution: CommandExecution) -> None:
        reply = execution.reply
        self.counts[reply.action, reply.outcome, reply.reason] += 1
        log_outcome(execution.command, reply)

    def _reply(self, command: Command, ending: CommandOutcome) -> Reply:
        statement = self._board.statement(command.room)
        return Reply(
            command.key,
            command.action,
            command.room,
            ending.outcome,
            ending.reason,
            self._board.epoch,
            statement.seq if statement is not None else 0,
        )
