"""Collects what is known of a room and of the check-in window of one of its meetings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed.actions.no_show import Facts
from placed.actions.no_show_watch import CheckInWays, Shown, Watch, shown_now
from placed.domain.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.model import Meeting
    from placed.domain.state_document import Statement

_BY_BROKER = "broker"  # the way through a panel that the broker reports
_MOST_ROOMS = 20_000  # rooms with a panel that are kept while they are not listed
SIGN_HOLDS = timedelta(seconds=30)  # how long a panel counts as there after a sign of life


class NoShowFacts:
    """Follows rooms, panels and the process itself.

    Args:
        board: the rooms.
        clock: what time it is.
        sensor_links: another value after each gap in what sensors send; None while there is a gap.
        believable: whether the time is known.
        leads: whether this instance may act.
    """

    def __init__(
        self,
        board: Board,
        clock: Clock,
        sensor_links: Callable[[], Hashable | None],
        believable: Callable[[], bool] = lambda: True,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._board = board
        self._clock = clock
        self._sensor_links = sensor_links
        self._links = sensor_links()
        self._sensors_since = clock.now() if self._links is not None else None
        self._believable = believable
        self._leads = leads
        self._watch = Watch(clock.now(), clock.steady())
        self._ways = CheckInWays()
        self._shown: dict[str, Shown] = {}
        self._used_at: dict[str, datetime] = {}

    # --- what happens ---

    def look(self) -> None:
        """The process runs; to be called at least once a second."""
        moment = self._clock.now()
        self._watch.look(moment, self._clock.steady())
        links = self._sensor_links()
        if links != self._links:
            self._links = links
            self._sensors_since = moment if links is not None else None

    def begin_again(self) -> None:
        """Something has happened of which it is not known what was missed: a reload, a takeover."""
        self._watch.begin(self._clock.now(), self._clock.steady())

    def stated(self, statement: Statement) -> bool:
        """A room has a new statement; returns whether it shows another current meeting than before."""
        room_id = statement.room.id
        before = self._shown.get(room_id)
        shown = shown_now(before, statement.occupancy, self._clock.now())
        if shown is before:
            return False
        if shown is None:
            del self._shown[room_id]
            return False
        self._shown[room_id] = shown
        return True

    def panel_is_there(self, room_id: str, panel: str) -> None:
        """A panel of a room has shown a sign of life."""
        moment = self._clock.now()
        self._ways.begin(room_id, ("sign", panel), moment, moment + SIGN_HOLDS)

    def panel_has_stream(self, room_id: str, stream: Hashable, *, is_open: bool) -> None:
        """A panel of a room has opened an event stream, or it has ended."""
        change = self._ways.begin if is_open else self._ways.end
        change(room_id, ("stream", stream), self._clock.now())

    def panel_is_connected(self, room_id: str, *, connected: bool) -> None:
        """The broker reports that the panel of a room is connected, or that it is not.

        It may do so before the room is listed.
        """
        if self._board.statement(room_id) is None and len(self._ways) >= _MOST_ROOMS:
            return
        change = self._ways.begin if connected else self._ways.end
        change(room_id, _BY_BROKER, self._clock.now())

    def broker_is_lost(self) -> None:
        """What the broker has reported of panels may not be true any more."""
        self._ways.end_all(_BY_BROKER, self._clock.now())

    def was_used(self, room_id: str) -> None:
        """Somebody has used a panel of a room."""
        self._used_at[room_id] = self._clock.now()

    def keep(self, room_ids: frozenset[str]) -> None:
        """Forgets all other rooms."""
        self._ways.keep(room_ids)
        self._shown = {room_id: one for room_id, one in self._shown.items() if room_id in room_ids}
        self._used_at = {room_id: at for room_id, at in self._used_at.items() if room_id in room_ids}

    # --- what is known ---

    def used_at(self, room_id: str) -> datetime | None:
        """When somebody last used a panel of a room."""
        return self._used_at.get(room_id)

    def meeting(self, room_id: str, key: str, start: datetime) -> Meeting | None:
        """A meeting of a room, as it was last read; None if it is no more, or was moved."""
        schedule = self._board.schedule(room_id)
        meetings = schedule.meetings if schedule is not None else ()
        return next((one for one in meetings if (one.key, one.start) == (key, start)), None)

    def of(self, room_id: str, meeting: Meeting, released: int) -> Facts | None:
        """What is known of a meeting now; None if there is no such room."""
        self.look()
        self._board.judge_if_due(room_id)
        statement, schedule = self._board.statement(room_id), self._board.schedule(room_id)
        if statement is None:
            return None
        moment = self._clock.now()
        occupancy, shown = statement.occupancy, self._shown.get(room_id)
        is_known = self._believable() and occupancy.status is not Status.UNKNOWN and not occupancy.stale
        is_shown = shown is not None and (shown.key, shown.start) == (meeting.key, meeting.start)
        check_ins = self._board.check_ins_of(room_id)
        return Facts(
            moment=moment,
            meeting=meeting,
            others=tuple(one for one in schedule.meetings if one is not meeting) if schedule else (),
            checked_in=check_ins.has(meeting) if check_ins is not None else None,
            watched_since=self._watch.since,
            current_since=shown.since if shown is not None and is_shown else None,
            way_since=self._ways.since(room_id, moment),
            used_at=self._used_at.get(room_id),
            read_at=schedule.read_at if schedule is not None and is_known else None,
            presence=self._board.presence(room_id),
            sensors=self._board.sensors_of(room_id),
            may_have_sensors=self._board.may_have_sensors(room_id),
            sensors_since=self._sensors_since,
            released=released,
            leads=self._leads(),
        )
