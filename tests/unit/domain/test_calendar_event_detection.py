"""What happened in a room, as a table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from placed.domain.calendar_event_detection import Event, EventKind, events_between, rescheduled
from placed.domain.model import Occupancy, Reason, Schedule, ShowAs, Status
from placed.domain.occupancy import judge
from tests.support.domain_builders import DAY, POLICY, at, meeting, schedule

if TYPE_CHECKING:
    from placed.domain.model import Meeting

NINE = meeting("9:00", "10:00", key="nine")
HALF = meeting("9:30", "10:30", key="half")
TEN = meeting("10:00", "11:00", key="ten")


def known(status: Status, current: Meeting | None = None, *conflicts: Meeting) -> Occupancy:
    return Occupancy(status, stale=False, valid_until=at("24:00"), current=current, conflicts=conflicts)


def unknown(reason: Reason) -> Occupancy:
    return Occupancy(Status.UNKNOWN, stale=True, valid_until=at("24:00"), reason=reason)


FREE = known(Status.FREE)
STARTING = known(Status.STARTING)
FAILED = unknown(Reason.UNAVAILABLE)
NEVER_READ = unknown(Reason.NOT_READ_YET)


@pytest.mark.parametrize(
    ("before", "after", "moment", "expected"),
    [
        (FREE, FREE, "9:00", []),
        (FREE, STARTING, "8:55", []),
        (STARTING, FREE, "8:56", []),
        (STARTING, known(Status.BUSY, NINE), "9:00", [(EventKind.STARTED, "nine")]),
        (FREE, known(Status.BUSY, NINE), "9:10", [(EventKind.STARTED, "nine")]),  # booked on the spot
        (known(Status.BUSY, NINE), known(Status.BUSY, NINE), "9:30", []),
        (known(Status.BUSY, NINE), FREE, "10:00", [(EventKind.ENDED, "nine")]),
        (
            known(Status.BUSY, NINE),
            FREE,
            "9:59:59.9",
            [],
        ),  # cancelled or moved, which is another kind
        (
            known(Status.BUSY, NINE),
            known(Status.BUSY, TEN),
            "10:00",
            [(EventKind.ENDED, "nine"), (EventKind.STARTED, "ten")],
        ),
        (
            known(Status.BUSY, NINE),
            known(Status.BUSY, NINE, HALF),
            "9:30",
            [(EventKind.STARTED, "half"), (EventKind.CONFLICT, "half")],
        ),
        (known(Status.BUSY, NINE, HALF), known(Status.BUSY, HALF), "10:00", [(EventKind.ENDED, "nine")]),
        (
            known(Status.BUSY, NINE, HALF),
            known(Status.BUSY, HALF, TEN),
            "10:00",
            [(EventKind.ENDED, "nine"), (EventKind.STARTED, "ten")],  # it is in conflict still
        ),
        (FREE, FAILED, "9:15", [(EventKind.UNKNOWN, None)]),
        (known(Status.BUSY, NINE), FAILED, "10:00", [(EventKind.UNKNOWN, None)]),
        (FAILED, FREE, "9:15", [(EventKind.RECOVERED, None)]),
        (FAILED, known(Status.BUSY, NINE, HALF), "9:45", [(EventKind.RECOVERED, None)]),
        (FAILED, unknown(Reason.REFUSED), "9:15", []),
        (NEVER_READ, FREE, "9:15", []),
        (NEVER_READ, known(Status.BUSY, NINE, HALF), "9:45", []),
        (NEVER_READ, FAILED, "9:15", []),
    ],
)
def test_what_a_change_of_occupancy_means_to_people(
    before: Occupancy, after: Occupancy, moment: str, expected: list[tuple[EventKind, str | None]]
) -> None:
    events = list(events_between(before, after, at(moment)))
    assert [(event.happening, event.meeting.key if event.meeting else None) for event in events] == expected
    assert {event.at for event in events} <= {at(moment)}


def test_a_meeting_that_is_prolonged_does_not_start_again() -> None:
    longer = replace(NINE, end=at("10:30"))
    assert list(events_between(known(Status.BUSY, NINE), known(Status.BUSY, longer), at("9:30"))) == []


TWIN = replace(TEN, key="nine")  # of another time, by the same key


def test_meetings_with_the_same_key_are_distinguished_by_their_times() -> None:
    then, now = known(Status.BUSY, NINE), known(Status.BUSY, TWIN)
    assert list(events_between(then, now, at("10:00"))) == [
        Event(EventKind.ENDED, at("10:00"), NINE),
        Event(EventKind.STARTED, at("10:00"), TWIN),
    ]
    overlapping = replace(TWIN, start=at("9:30"))
    both = known(Status.BUSY, NINE, overlapping)
    assert [e.happening for e in events_between(then, both, at("9:30"))] == [
        EventKind.STARTED,
        EventKind.CONFLICT,
    ]


# --- plans --------------------------------------------------------------------------------------------------

LATER = replace(TEN, start=at("10:30"), end=at("11:30"))
LONGER = replace(TEN, end=at("11:30"))
CANCELLED = replace(TEN, cancelled=True)
DECLINED = replace(TEN, declined=True)
OFFERED = replace(TEN, show_as=ShowAs.FREE)
RENAMED = replace(TEN, title="Another", organizer="Somebody else", private=True)
NONSENSE = replace(TEN, end=at("9:00"))


@pytest.mark.parametrize(
    ("before", "after", "moment", "expected"),
    [
        ([TEN], [TEN], "9:00", []),
        ([], [TEN], "9:00", []),  # a new booking is no event until it starts
        ([TEN], [], "9:00", [Event(EventKind.CANCELLED, at("9:00"), TEN)]),
        ([TEN], [CANCELLED], "9:00", [Event(EventKind.CANCELLED, at("9:00"), TEN)]),
        ([TEN], [DECLINED], "9:00", [Event(EventKind.CANCELLED, at("9:00"), TEN)]),
        ([TEN], [OFFERED], "9:00", [Event(EventKind.CANCELLED, at("9:00"), TEN)]),
        ([TEN], [NONSENSE], "9:00", [Event(EventKind.CANCELLED, at("9:00"), TEN)]),
        ([CANCELLED], [], "9:00", []),
        ([OFFERED], [], "9:00", []),
        ([NONSENSE], [], "8:00", []),
        ([CANCELLED], [TEN], "9:00", []),
        ([TEN], [LATER], "9:00", [Event(EventKind.MOVED, at("9:00"), LATER, TEN)]),
        ([TEN], [LONGER], "10:15", [Event(EventKind.MOVED, at("10:15"), LONGER, TEN)]),
        ([TEN], [RENAMED], "9:00", []),
        ([TEN], [], "10:59:59.9", [Event(EventKind.CANCELLED, at("10:59:59.9"), TEN)]),
        ([TEN], [], "11:00", []),  # it is over
        ([NINE, TWIN], [TWIN], "8:00", [Event(EventKind.CANCELLED, at("8:00"), NINE)]),
        ([NINE, TWIN], [NINE], "8:00", [Event(EventKind.CANCELLED, at("8:00"), TWIN)]),
        (
            [NINE, TWIN],
            [NINE, replace(LATER, key="nine")],
            "8:00",
            [Event(EventKind.MOVED, at("8:00"), replace(LATER, key="nine"), TWIN)],
        ),
        ([TEN], [LATER], "11:00", []),
        (
            [NINE, TEN],
            [LATER],
            "8:00",
            [Event(EventKind.CANCELLED, at("8:00"), NINE), Event(EventKind.MOVED, at("8:00"), LATER, TEN)],
        ),
    ],
)
def test_what_another_plan_means_to_people(
    before: list[Meeting], after: list[Meeting], moment: str, expected: list[Event]
) -> None:
    events = rescheduled(schedule(*before), schedule(*after), at(moment), POLICY)
    assert list(events) == expected


def test_a_meeting_outside_the_new_window_is_not_cancelled() -> None:
    """A reload may read fewer days ahead, or reckon a room's days in another time zone."""
    tomorrow = meeting("33:00", "34:00")
    until_then = meeting("23:00", "25:00")
    before = schedule(TEN, until_then, tomorrow)
    today_only = Schedule((TEN,), DAY, DAY + timedelta(days=1), at("9:00"))
    assert [e.meeting for e in rescheduled(before, today_only, at("9:00"), POLICY)] == [until_then]


keys = st.sampled_from("abc")
hours = st.integers(0, 20)


@st.composite
def plans(draw: st.DrawFn) -> Schedule:
    chosen = draw(st.dictionaries(keys, st.tuples(hours, hours, st.booleans())))
    return schedule(
        *(
            meeting(f"{start}:00", f"{start + length}:00", key=key, cancelled=cancelled)
            for key, (start, length, cancelled) in chosen.items()
        )
    )


@given(plans(), hours)
def test_nothing_happens_where_nothing_changed(plan: Schedule, hour: int) -> None:
    moment = at(f"{hour}:00")
    occupancy = judge(plan, moment, POLICY).occupancy
    assert list(events_between(occupancy, occupancy, moment)) == []
    assert list(rescheduled(plan, plan, moment, POLICY)) == []


@given(plans(), plans(), hours)
def test_a_meeting_is_moved_or_cancelled_or_neither_and_only_once(
    before: Schedule, after: Schedule, hour: int
) -> None:
    events = list(rescheduled(before, after, at(f"{hour}:00"), POLICY))
    reported = [event.meeting.key for event in events if event.meeting]
    assert len(reported) == len(events) == len(set(reported))
    assert {event.happening for event in events} <= {EventKind.MOVED, EventKind.CANCELLED}
