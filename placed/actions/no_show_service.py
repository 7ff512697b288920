"""Judges each meeting when its check-in window is over: reports a no-show, and releases the room of one."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from placed.actions.no_show import Obstacle, judged_at, may_still_change, obstacles
from placed.domain.action import Outcome
from placed.domain.calendar_event_detection import Event, EventKind
from placed.domain.presence import PresenceState
from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from placed.actions.no_show_facts import NoShowFacts
    from placed.actions.no_show_numbers import NoShowNumbers
    from placed.board.board import Board
    from placed.domain.action import Reply
    from placed.domain.clock import Clock
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.model import Meeting
    from placed.domain.state_document import Statement
    from placed.driver import ConnectionSettings, NoShowSettings

LOOK = 1.0  # seconds between looks at the clocks
_AGAIN = timedelta(seconds=10)  # until a meeting is judged again for which a reading is missing
_LATER = 5  # looks until the rooms are looked at that a rehearsal would have released
_AT_ONCE = 100  # meetings that are judged before other tasks have their turn

log = structlog.get_logger("placed.actions.no_show")


class Releaser(Protocol):
    """Releases rooms."""

    async def release(self, room_id: str, meeting: Meeting, still: Callable[[], bool]) -> Reply:
        """Takes a room out of a meeting; `still` is asked after the calendar was read, just before."""
        ...


@dataclass(frozen=True, slots=True)
class NoShowRules:
    """The rules of one connection: its check-in window after the start, and its table `no_show`."""

    after: timedelta
    settings: NoShowSettings


def no_show_rules(connections: Iterable[ConnectionSettings]) -> dict[str, NoShowRules]:
    """The rules by connection, of those that have no-shows and require a check-in."""
    return {
        one.name: NoShowRules(one.check_in.after, one.no_show)
        for one in connections
        if one.no_show is not None and one.check_in is not None and one.check_in.required
    }


class NoShowService:
    """Judges no-shows. A listener of the board.

    Args:
        board: the rooms.
        clock: what time it is.
        facts: what is known of rooms, panels and this process.
        numbers: counts what becomes of meetings.
        releaser: releases rooms.
        read_soon: asks for a reading of a room, by its connection and id.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        board: Board,
        clock: Clock,
        facts: NoShowFacts,
        numbers: NoShowNumbers,
        *,
        releaser: Releaser,
        read_soon: Callable[[str, str], None],
    ) -> None:
        self._board = board
        self._clock = clock
        self._facts = facts
        self._numbers = numbers
        self._releaser = releaser
        self._read_soon = read_soon
        self._rules: Mapping[str, NoShowRules] = {}
        self._due: list[tuple[datetime, str, str, datetime]] = []  # when, room, key and start of a meeting
        self._looks = 0
        self._releases: set[asyncio.Task[None]] = set()

    # --- settings and life ---

    def change(self, rules: Mapping[str, NoShowRules]) -> None:
        """Judges by these rules, by connection. Windows that are open now count as not watched."""
        self._rules = rules
        self._numbers.keep(rules)
        self._facts.begin_again()
        for statement in self._board.statements if rules else ():
            self._follow(statement)

    async def run(self) -> None:
        """Judges until it is cancelled."""
        while True:
            more = self.judge_due(_AT_ONCE)
            await self._clock.sleep(0.0 if more else LOOK)

    def close(self) -> None:
        """Saves the numbers. Releases under way are left to the service of actions."""
        for task in self._releases:
            task.cancel()
        self._numbers.save()

    # --- the board's events ---

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement."""
        del urgent, events
        if self._rules:
            self._follow(statement)

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Forgets removed rooms."""
        if removed:
            self._facts.keep(frozenset(room.id for room in self._board.rooms))

    def health_changed(self, health: ConnectionHealth) -> None:
        """Does nothing: what counts is when each room was read."""

    def connection_removed(self, connection: str) -> None:
        """Does nothing: the settings have changed, too."""

    def _follow(self, statement: Statement) -> None:
        rules = self._rules.get(statement.room.connection)
        current = statement.occupancy.current
        if rules is None or not self._facts.stated(statement) or current is None:
            return
        due = judged_at(current, rules.after)
        if due > self._clock.now():  # else an earlier run has judged it, or another meeting was in its place
            self._plan(due, statement.room.id, current)

    def _plan(self, due: datetime, room_id: str, meeting: Meeting) -> None:
        heapq.heappush(self._due, (due, room_id, meeting.key, meeting.start))

    # --- what it reports ---

    @property
    def configured(self) -> bool:
        """See `NoShowReport`."""
        return bool(self._rules)

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """See `NoShowReport`."""
        return self._numbers.counts

    def documents(self) -> list[dict[str, Any]]:
        """See `NoShowReport`."""
        return self._numbers.documents({name: rules.settings.mode for name, rules in self._rules.items()})

    # --- judging ---

    def judge_due(self, most: int) -> bool:
        """Judges meetings whose window is over, `most` of them; returns whether more may be due."""
        self._facts.look()
        self._numbers.pass_time()
        self._looks = (self._looks + 1) % _LATER
        if self._looks == 0:
            self._numbers.look_at_rehearsed(self._was_used_since)
        for _ in range(most):
            if not self._due or self._due[0][0] > self._clock.now():
                return False
            _, room_id, key, start = heapq.heappop(self._due)
            statement = self._board.statement(room_id)
            meeting = self._facts.meeting(room_id, key, start)
            if statement is not None and meeting is not None and statement.room.connection in self._rules:
                try:
                    self._judge(statement.room.connection, room_id, meeting)
                except Exception:  # a meeting that cannot be judged is kept
                    log.exception("no_show.failed", room=room_id)
        return True

    def _judge(self, connection: str, room_id: str, meeting: Meeting) -> None:
        rules, moment = self._rules[connection], self._clock.now()
        mode = rules.settings.mode
        if moment < judged_at(meeting, rules.after):  # the settings have changed
            self._plan(judged_at(meeting, rules.after), room_id, meeting)
            return
        found = self._obstacles(connection, room_id, meeting)
        if found and may_still_change(found, meeting, rules.after, moment):
            if Obstacle.NOT_READ in found:
                self._read_soon(connection, room_id)
            self._plan(moment + _AGAIN, room_id, meeting)
        elif found:
            self._numbers.kept(connection, room_id, meeting, found, mode)
            if found == (Obstacle.TOO_MANY,):
                at_most = rules.settings.at_most
                log.warning("no_show.limit_was_reached", connection=connection, room=room_id, at_most=at_most)
            elif found[0] is not Obstacle.CHECKED_IN:
                log.debug("no_show.was_kept", room=room_id, reasons=[reason.value for reason in found])
        else:
            self._numbers.reserve(connection)
            if mode == "rehearse":
                self._conclude(connection, room_id, meeting, mode)
            else:
                task = asyncio.create_task(self._release(connection, room_id, meeting))
                self._releases.add(task)
                task.add_done_callback(self._releases.discard)

    def _obstacles(
        self, connection: str, room_id: str, meeting: Meeting, *, reserved: int = 0
    ) -> tuple[Obstacle, ...]:
        rules = self._rules.get(connection)
        facts = self._facts.of(room_id, meeting, self._numbers.released(connection) - reserved)
        if facts is None or rules is None:
            return (Obstacle.OVER,)
        return obstacles(facts, rules.after, rules.settings, self._board.policy)

    async def _release(self, connection: str, room_id: str, meeting: Meeting) -> None:
        """Releases a room; it is counted among the releases of the hour already."""
        mode = "release"

        def still() -> bool:
            now = self._facts.meeting(room_id, meeting.key, meeting.start)
            return now == meeting and not self._obstacles(connection, room_id, meeting, reserved=1)

        reply = await self._releaser.release(room_id, meeting, still)
        if reply.outcome is Outcome.DONE:
            self._conclude(connection, room_id, meeting, mode)
            return
        self._numbers.failed(connection, mode)
        log.warning(
            "no_show.was_not_released",
            room=room_id,
            outcome=reply.outcome.value,
            reason=reply.reason.value if reply.reason else None,
        )

    def _conclude(self, connection: str, room_id: str, meeting: Meeting, mode: str) -> None:
        """A room was released, or would have been."""
        rehearsal = mode == "rehearse"
        strikes = self._numbers.concluded(connection, room_id, meeting, mode)
        event = "no_show.was_rehearsed" if rehearsal else "no_show.was_released"
        log.info(event, room=room_id, start=timestamp(meeting.start), strikes=strikes)
        no_show = Event(EventKind.NO_SHOW, self._clock.now(), meeting, rehearsal=rehearsal, strikes=strikes)
        self._board.announce(room_id, no_show)

    def _was_used_since(self, room_id: str, moment: datetime) -> bool:
        presence, used_at = self._board.presence(room_id), self._facts.used_at(room_id)
        seen = presence is not None and presence.state is PresenceState.PRESENT
        return seen or (used_at is not None and used_at > moment)
