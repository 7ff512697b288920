"""The rules of occupancy: (schedule, moment, policy) -> occupancy, and its next edge. Pure.

- A meeting occupies its room unless it is cancelled, was declined by the room, shows as free, shows as
  something that the policy does not count, or ends no later than it starts. An unrecognised value occupies.
- Intervals are half-open: a room is free at the very second at which its meeting ends.
- A room is `starting` when it is free and the next meeting starts within `lead`.
- Where check-in is on, a room is `pending` while its meetings wait for one: see `check_in_rules`.
- What is known is `stale` once it was not read for `stale_after`, or for three times as long as was meant
  where that is longer, and gone after `expire_after`, or at the end of the window that was read. A room of
  which nothing is known is `unknown`.
- A statement is valid until its next edge or until what is known expires, whichever is earlier.
- Where a site chose an `offline_grace`, what is known is published for longer while the service cannot be
  reached: stale, and each statement for no longer than `expire_after` from when it is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from placed.domain.model import Meeting, Occupancy, Reason, Schedule, ShowAs, Status

if TYPE_CHECKING:
    from placed.domain.check_in_rules import RoomCheckIns

DEFAULT_BUSY_FOR = frozenset({ShowAs.BUSY, ShowAs.TENTATIVE, ShowAs.OOF, ShowAs.WORKING_ELSEWHERE})


class Policy(msgspec.Struct, frozen=True):
    """The site's choices about occupancy."""

    lead: timedelta = timedelta(minutes=5)
    busy_for: frozenset[ShowAs] = DEFAULT_BUSY_FOR
    stale_after: timedelta = timedelta(seconds=90)
    expire_after: timedelta = timedelta(minutes=15)
    offline_grace: timedelta = timedelta()  # counts where it is longer than `expire_after`

    @property
    def freshness_budget(self) -> timedelta:
        """The maximum age of what is published of a room; beyond it the room is unknown."""
        return max(self.expire_after, self.offline_grace)


class Judgement(msgspec.Struct, frozen=True):
    """An occupancy, and the next moment at which it changes by the calendar; None if it never does.

    It also changes when what was read lapses: see `lapse`.
    """

    occupancy: Occupancy
    change: datetime | None = None


def occupies(meeting: Meeting, policy: Policy) -> bool:
    """Returns whether the meeting occupies its room."""
    return (
        not meeting.cancelled
        and not meeting.declined
        and meeting.start < meeting.end
        and (meeting.show_as is ShowAs.UNRECOGNISED or meeting.show_as in policy.busy_for)
    )


def expiry(schedule: Schedule, moment: datetime, policy: Policy, failure: Reason | None) -> datetime:
    """Returns until when a reading is valid, as far as it is known at `moment`."""
    expires = schedule.read_at + policy.expire_after
    if failure is Reason.UNAVAILABLE:
        expires = max(expires, min(schedule.read_at + policy.offline_grace, moment + policy.expire_after))
    return min(expires, schedule.until)


def lapse(
    schedule: Schedule, moment: datetime, policy: Policy, failure: Reason | None, *, stale: bool
) -> datetime:
    """Returns when a reading becomes stale; or, if it is, when it expires."""
    expires = expiry(schedule, moment, policy, failure)
    return expires if stale else min(expires, _stale_from(schedule, policy))


def _stale_from(schedule: Schedule, policy: Policy) -> datetime:
    return schedule.read_at + max(policy.stale_after, 3 * schedule.again_within)


def judge(
    schedule: Schedule | None,
    moment: datetime,
    policy: Policy,
    failure: Reason | None = None,
    check_ins: RoomCheckIns | None = None,
) -> Judgement:
    """What a room is at `moment`, and when its calendar changes that next.

    Args:
        schedule: what was read last, None if nothing ever was.
        moment: the moment that is asked about.
        policy: what the site decided.
        failure: why the last reading failed, None if it did not; it explains what is stale or unknown.
        check_ins: those of the room; None where check-in is off.
    """
    if schedule is None:
        return Judgement(_unknown(moment, policy, failure or Reason.NOT_READ_YET, None))
    expires = expiry(schedule, moment, policy, failure)
    if moment >= expires or moment < schedule.since:
        return Judgement(_unknown(moment, policy, failure or Reason.EXPIRED, schedule.read_at))

    meetings = _in_order([m for m in schedule.meetings if m.end > moment and occupies(m, policy)])
    running = [m for m in meetings if m.start <= moment]
    following = meetings[len(running) :]
    upcoming = following[0] if following else None
    edges = [m.end for m in running]
    if upcoming:
        starting_from = upcoming.start - policy.lead
        edges.append(upcoming.start)
        if not running and starting_from > moment:
            edges.append(starting_from)
    if running:
        status = Status.BUSY
    elif upcoming and upcoming.start - policy.lead <= moment:
        status = Status.STARTING
    else:
        status = Status.FREE

    offer = None
    if check_ins is not None:
        by_check_in = check_ins.judge(running, following, moment)
        offer = by_check_in.offer
        edges += by_check_in.changes
        if by_check_in.pending:
            status = Status.PENDING

    stale = moment >= _stale_from(schedule, policy)
    change = min(edges, default=None)
    valid_until = expires if change is None else min(change, expires)
    occupancy = Occupancy(
        status=status,
        stale=stale,
        valid_until=valid_until,
        current=running[0] if running else None,
        next=upcoming,
        conflicts=tuple(running[1:]),
        busy_until=_end_of_block(running, following) if running else None,
        free_until=upcoming.start if upcoming and not running else None,
        observed_at=schedule.read_at,
        reason=(failure or Reason.EXPIRED) if stale else None,
        check_in=offer,
    )
    return Judgement(occupancy, change)


def _unknown(moment: datetime, policy: Policy, reason: Reason, observed_at: datetime | None) -> Occupancy:
    return Occupancy(
        status=Status.UNKNOWN,
        stale=True,
        valid_until=moment + policy.expire_after,
        observed_at=observed_at,
        reason=reason,
    )


def _in_order(meetings: list[Meeting]) -> list[Meeting]:
    """Sorts by start, for which the start alone is nearly always enough."""
    meetings.sort(key=_start)
    if len({meeting.start for meeting in meetings}) < len(meetings):
        meetings.sort(key=_place)
    return meetings


_start = attrgetter("start")


def _place(meeting: Meeting) -> tuple[object, ...]:
    """The sort key: by start; on a tie the one that ends last comes first; then any stable order."""
    return (
        meeting.start,
        -meeting.end.timestamp(),
        meeting.key,
        meeting.show_as,
        meeting.private,
        meeting.all_day,
        meeting.title or "",
        meeting.organizer or "",
    )


def _end_of_block(running: list[Meeting], following: list[Meeting]) -> datetime:
    """Returns when the room becomes free, looking through overlapping and adjacent meetings."""
    end = max(m.end for m in running)
    for meeting in following:
        if meeting.start > end:
            break
        end = max(end, meeting.end)
    return end
