"""Check-in: which meeting waits for one, until when, and whether it was checked in to. Pure.

- A meeting can be checked in to from `before` its start until `after` it, or until it ends. Until then it is
  pending; afterwards it is busy, as it would be without check-in.
- A check-in belongs to a meeting and its start. It stays valid when the meeting only ends at another time, or
  is moved by less than the whole time in which it can be checked in to.
- A booking at the last moment counts as a check-in: that of a meeting that was booked after its start, or
  less than `booked_within` before it.
- An all-day meeting has no check-in: nobody stands at the door at midnight.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from placed.domain.action import Refusal
from placed.domain.model import CheckIn, CheckInState, Meeting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class CheckInRules(msgspec.Struct, frozen=True):
    """The site's choices about check-in.

    Attributes:
        before: how long before its start a meeting can be checked in to.
        after: how long after its start.
        required: whether a room is pending until somebody checks in.
        booked_within: meetings that were booked less than this before their start count as checked in.
    """

    before: timedelta = timedelta(minutes=10)
    after: timedelta = timedelta(minutes=10)
    required: bool = True
    booked_within: timedelta | None = timedelta(hours=2)


class CheckedIn(msgspec.Struct, frozen=True, gc=False):
    """Somebody checked in to the meeting with this key, when it started at `start`."""

    meeting: str
    start: datetime
    at: datetime


class CheckInJudgement(msgspec.Struct, frozen=True):
    """What a room offers, whether it is pending, and when that changes by itself."""

    offer: CheckIn | None
    pending: bool
    changes: tuple[datetime, ...]


class RoomCheckIns(msgspec.Struct, frozen=True):
    """The rules of a room with check-in, and the check-ins of its meetings."""

    rules: CheckInRules
    known: tuple[CheckedIn, ...] = ()

    def judge(
        self, running: Sequence[Meeting], following: Sequence[Meeting], moment: datetime
    ) -> CheckInJudgement:
        """Judges the meetings that occupy the room: those that run, and those that follow, by their start."""
        waiting = [meeting for meeting in running if self._waits(meeting, moment)]
        changes = [self.closes(meeting) for meeting in waiting]
        following = [meeting for meeting in following[:1] if not meeting.all_day]
        changes += [self._opens(meeting) for meeting in following if moment < self._opens(meeting)]
        pending = self.rules.required and bool(running) and len(waiting) == len(running)
        subject = next(
            (
                meeting
                for meeting in (*waiting, *following, *running)
                if not meeting.all_day and self._opens(meeting) <= moment
            ),
            None,
        )
        offer = self._offer(subject, moment) if subject is not None else None
        return CheckInJudgement(offer, pending, tuple(changes))

    def has(self, meeting: Meeting) -> bool:
        """Whether a meeting was checked in to, or counts as checked in."""
        return self.was_checked_in(meeting) or self._was_booked_at_the_last_moment(meeting)

    def was_checked_in(self, meeting: Meeting) -> bool:
        """Whether somebody has checked in to a meeting."""
        window = self.rules.before + self.rules.after
        return any(
            known.meeting == meeting.key and abs(known.start - meeting.start) < window for known in self.known
        )

    def closes(self, meeting: Meeting) -> datetime:
        """From when on a meeting cannot be checked in to any more."""
        return min(meeting.start + self.rules.after, meeting.end)

    def find(
        self, occupying: Iterable[Meeting], named: datetime | None, moment: datetime
    ) -> Meeting | Refusal:
        """Returns the meeting that starts at `named`, if it can be checked in to at `moment`."""
        meetings = [meeting for meeting in occupying if moment < meeting.end]
        for meeting in meetings:
            if meeting.start != named:
                continue
            if meeting.all_day:
                return Refusal.NOT_ALLOWED
            if self.has(meeting):
                return meeting
            if moment < self._opens(meeting):
                return Refusal.NO_SUCH_MEETING
            return meeting if moment < self.closes(meeting) else Refusal.TOO_LATE
        if named is not None and any(meeting.start <= moment for meeting in meetings):
            return Refusal.CHANGED
        return Refusal.NO_SUCH_MEETING

    def _opens(self, meeting: Meeting) -> datetime:
        return meeting.start - self.rules.before

    def _waits(self, meeting: Meeting, moment: datetime) -> bool:
        return not meeting.all_day and moment < self.closes(meeting) and not self.has(meeting)

    def _was_booked_at_the_last_moment(self, meeting: Meeting) -> bool:
        within, booked = self.rules.booked_within, meeting.created_at
        if booked is None:
            return False
        return booked >= meeting.start or (within is not None and meeting.start - booked < within)

    def _offer(self, meeting: Meeting, moment: datetime) -> CheckIn:
        closes = self.closes(meeting)
        if self.has(meeting):
            state = CheckInState.DONE
        else:
            state = CheckInState.OPEN if moment < closes else CheckInState.CLOSED
        return CheckIn(state, meeting.start, self._opens(meeting), closes)
