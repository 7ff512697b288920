"""Judges rooms by the site's rules, and makes a statement of each room whose occupancy has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from placed.board.room_entry import RoomEntry
from placed.board.room_use import is_new_presence, use_and_events
from placed.domain.calendar_event_detection import Event, events_between
from placed.domain.model import Reason, ShowPresence
from placed.domain.occupancy import judge
from placed.domain.presence import continue_earlier
from placed.domain.privacy import permitted_presence, permitted_schedule, shows_presence
from placed.domain.state_document import Statement, state_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.board.check_in_book import CheckInBook
    from placed.board.room_entry import KnownRoom
    from placed.board.room_sensors import RoomSensors
    from placed.domain.check_in_rules import RoomCheckIns
    from placed.domain.model import Occupancy, Room, Schedule
    from placed.domain.occupancy import Judgement, Policy
    from placed.domain.presence import Presence, PresenceJudgement
    from placed.domain.privacy import Show


class News(NamedTuple):
    """What a new statement is for the listeners."""

    changed: bool  # not only renewed
    urgent: bool
    events: tuple[Event, ...]


class Judging:
    """The rules, and the numbers of the statements.

    Args:
        policy: the site's rules.
        show: what of a meeting may be shown.
        epoch: the number of this start of the daemon.
        believable: whether the time is known; if not, every room is unknown.
        sensors: the presence sensors of the rooms.
        check_ins: the check-ins of the rooms.
    """

    def __init__(  # noqa: PLR0913 - what a statement depends on
        self,
        policy: Policy,
        show: Show,
        epoch: int,
        believable: Callable[[], bool],
        *,
        sensors: RoomSensors,
        check_ins: CheckInBook,
    ) -> None:
        self.policy = policy
        self.show = show
        self.show_presence = ShowPresence.STATE
        self._sensors = sensors
        self._check_ins = check_ins
        self.epoch = epoch
        self.seq = 0
        self.believable = believable

    def next_seq(self) -> int:
        """The number of the next statement or removal."""
        self.seq += 1
        return self.seq

    def new_entry(self, room: Room, known: KnownRoom | None, moment: datetime) -> RoomEntry:
        """Returns the entry of a new room, of which an earlier run may have stored something."""
        if known is not None and not known.room.is_same_mailbox(room):
            known = None  # another mailbox had the id
        schedule, failure = (known.schedule, known.failure) if known else (None, None)
        if schedule is not None:
            schedule = permitted_schedule(schedule, self.show)
        check_ins = self._check_ins.of(room)
        first = self._judge(schedule, moment, failure, check_ins)
        changed_at = moment
        if known is not None and schedule is not None:
            # Meetings of earlier days are not kept: it is the same since before, if it is since then.
            first_known = max(known.changed_at, schedule.since)
            then = judge(schedule, first_known, self.policy, failure, check_ins).occupancy
            if _meetings(then) == _meetings(first.occupancy):
                changed_at = known.changed_at
        earlier = known.presence if known is not None else None
        presence, earlier = continue_earlier(self._presence(room, moment, None), earlier, moment)
        shown = self._shown(room, presence)
        statement = self._statement(room, valid_with(first.occupancy, shown), changed_at, shown)
        entry = RoomEntry(room, statement, schedule, failure, first.change)
        entry.check_ins = check_ins
        entry.noted_at = known.noted_at if known else None
        entry.calendar_valid_until = first.occupancy.valid_until
        entry.note_presence(presence)
        entry.earlier_presence = earlier
        entry.renewal = entry.renew_at(self.policy, moment)
        if shown is not None:
            hold = self._sensors.longest_hold(room.id)
            entry.use, _ = use_and_events(None, statement.occupancy, shown, hold, moment)
        return entry

    def judge(
        self, entry: RoomEntry, moment: datetime, *, changes: tuple[Event, ...] = (), again: bool = False
    ) -> News | None:
        """Judges a room, and makes a new statement if one is needed.

        Args:
            entry: the room.
            moment: the time.
            changes: what a reading has changed in its plans.
            again: make a statement even if nothing has changed.

        Returns:
            What is new; None if the statement stays.
        """
        stated, before = entry.statement, entry.statement.occupancy
        by_calendar, shown = self._judge_entry(entry, moment)
        after = valid_with(by_calendar, shown)
        changed = _content(after) != _content(before)
        sensed = is_new_presence(stated.presence, shown)
        renewed = entry.renewal <= moment and after.valid_until > before.valid_until
        events = (*changes, *events_between(before, after, moment)) if changed else changes
        if shown is not None or entry.use is not None:
            hold = self._sensors.longest_hold(entry.room.id)
            entry.use, of_use = use_and_events(entry.use, after, shown, hold, moment)
            events = (*events, *of_use)
        if changed or events or again or entry.again or renewed or sensed:
            changed_at = moment if changed else stated.changed_at
            self._state(entry, by_calendar, after, shown, changed_at, moment=moment)
        if entry.statement is stated:
            return None
        first = before.reason is Reason.NOT_READ_YET
        # Presence or staleness alone may wait: all rooms may have either at once, and edges go before them.
        urgent = (changed and not first and _meetings(after) != _meetings(before)) or bool(events)
        return News(changed, urgent=urgent, events=events)

    def restate(self, entry: RoomEntry, moment: datetime) -> None:
        """States a room again of which only what is shown has changed; nothing happened to it."""
        by_calendar, shown = self._judge_entry(entry, moment)
        occupancy = valid_with(by_calendar, shown)
        self._state(entry, by_calendar, occupancy, shown, entry.statement.changed_at, moment=moment)

    def is_judged_differently(self, entry: RoomEntry, moment: datetime, before: Policy) -> bool:
        """Whether the present rules judge a room differently than those before."""
        schedule = entry.schedule if self.believable() else None
        then = judge(schedule, moment, before, entry.failure, entry.check_ins).occupancy
        return then != judge(schedule, moment, self.policy, entry.failure, entry.check_ins).occupancy

    def may_show_presence(self, room: Room) -> bool:
        """Whether a room has, or may get, a presence that may be shown."""
        return self._sensors.may_be_in(room.id) and shows_presence(room, self.show_presence)

    def _judge_entry(self, entry: RoomEntry, moment: datetime) -> tuple[Occupancy, Presence | None]:
        """Returns a room's occupancy by its calendar, and its presence as it may be shown."""
        judgement = self._judge(entry.schedule, moment, entry.failure, entry.check_ins)
        entry.change = judgement.change
        judged = self._presence(entry.room, moment, entry.presence)
        if judged is None and entry.presence is None and entry.earlier_presence is None:
            return judgement.occupancy, None  # a room without sensors, as most are
        presence, entry.earlier_presence = continue_earlier(judged, entry.earlier_presence, moment)
        entry.note_presence(presence)
        return judgement.occupancy, self._shown(entry.room, presence)

    def _judge(
        self,
        schedule: Schedule | None,
        moment: datetime,
        failure: Reason | None,
        check_ins: RoomCheckIns | None,
    ) -> Judgement:
        return judge(schedule if self.believable() else None, moment, self.policy, failure, check_ins)

    def _presence(self, room: Room, moment: datetime, before: Presence | None) -> PresenceJudgement | None:
        if self.believable():
            return self._sensors.judge(room.id, moment, before)
        return self._sensors.judge_without_time(room.id, moment, before)

    def _shown(self, room: Room, presence: PresenceJudgement | None) -> Presence | None:
        return permitted_presence(presence.presence, room, self.show_presence) if presence else None

    def _state(  # noqa: PLR0913 - what a statement is made of
        self,
        entry: RoomEntry,
        by_calendar: Occupancy,
        occupancy: Occupancy,
        presence: Presence | None,
        changed_at: datetime,
        *,
        moment: datetime,
    ) -> None:
        before = entry.statement
        had_presence = before.had_presence or before.presence is not None
        entry.statement = self._statement(
            entry.room, occupancy, changed_at, presence, had_presence=had_presence
        )
        entry.calendar_valid_until = by_calendar.valid_until
        entry.again = False
        entry.renewal = entry.renew_at(self.policy, moment)

    def _statement(
        self,
        room: Room,
        occupancy: Occupancy,
        changed_at: datetime,
        presence: Presence | None,
        *,
        had_presence: bool = False,
    ) -> Statement:
        seq = self.next_seq()
        document = state_document(
            room,
            occupancy,
            changed_at=changed_at,
            epoch=self.epoch,
            seq=seq,
            show=self.show,
            presence=presence,
        )
        return Statement(room, occupancy, changed_at, self.epoch, seq, document, presence, had_presence)


def valid_with(occupancy: Occupancy, presence: Presence | None) -> Occupancy:
    """Returns the occupancy, valid for no longer than the presence that is published with it."""
    if presence is None or presence.valid_until is None or presence.valid_until >= occupancy.valid_until:
        return occupancy
    return replace(occupancy, valid_until=presence.valid_until)


def _content(occupancy: Occupancy) -> tuple[object, ...]:
    """Returns what makes an occupancy new; the time of reading and the validity do not."""
    return (occupancy.stale, occupancy.reason, *_meetings(occupancy))


def _meetings(occupancy: Occupancy) -> tuple[object, ...]:
    """Returns the part that comes from the calendar and from check-ins."""
    return (
        occupancy.status,
        occupancy.current,
        occupancy.next,
        occupancy.conflicts,
        occupancy.busy_until,
        occupancy.free_until,
        occupancy.check_in,
    )
