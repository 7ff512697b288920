"""How the meeting that runs can be extended, by what was booked at the panel before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.actions.own_bookings import OwnBookings, extension_of
from placed.domain.action import Action, Outcome
from placed.domain.model import ShowAs
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import POLICY, at, meeting, schedule
from tests.support.fake_calendar import settings

if TYPE_CHECKING:
    from placed.domain.model import Meeting

HOUR = timedelta(hours=1)
EXTEND = Action.EXTEND


def extension(
    *meetings: Meeting, own: tuple[str, ...] = (), longest: timedelta = 8 * HOUR
) -> tuple[str, ...] | None:
    """The start of the meeting, the earliest and the latest end at noon; `own` are like `12:15-12:45`."""
    times = {(at(start), at(end)) for start, _, end in (text.partition("-") for text in own)}
    found = extension_of(schedule(*meetings), times, at("12:00"), POLICY, longest)
    return (
        None
        if found is None
        else tuple(f"{moment:%H:%M}" for moment in (found.meeting, found.begin, found.until))
    )


def test_a_meeting_is_extended_from_its_end_up_to_the_next_one() -> None:
    assert extension(meeting("11:00", "12:15"), meeting("13:00", "14:00")) == ("11:00", "12:15", "13:00")
    assert extension(meeting("11:00", "12:15"), longest=HOUR) == ("11:00", "12:15", "13:15")


def test_a_meeting_that_was_extended_is_extended_from_the_end_of_the_extension() -> None:
    calendar = meeting("11:00", "12:15"), meeting("12:15", "12:45"), meeting("13:30", "14:00")
    assert extension(*calendar, own=("12:15-12:45",)) == ("11:00", "12:45", "13:30")
    assert extension(*calendar, own=("12:15-12:45",), longest=HOUR) == ("11:00", "12:45", "13:15")
    twice = meeting("11:00", "12:15"), meeting("12:15", "12:45"), meeting("12:45", "13:00")
    assert extension(*twice, own=("12:15-12:45", "12:45-13:00")) == ("11:00", "13:00", "20:15")


def test_another_persons_meeting_without_a_gap_leaves_no_room_to_extend() -> None:
    assert extension(meeting("11:00", "12:15"), meeting("12:15", "12:45")) is None
    assert extension(meeting("11:00", "12:15"), meeting("11:30", "12:45")) is None
    extended = meeting("11:00", "12:15"), meeting("12:15", "12:45"), meeting("12:45", "13:00")
    assert extension(*extended, own=("12:15-12:45",)) is None


def test_the_length_of_what_was_booked_at_the_panel_counts_from_its_start() -> None:
    calendar = meeting("11:30", "11:45"), meeting("11:45", "12:15")
    own = ("11:30-11:45", "11:45-12:15")
    assert extension(*calendar, own=own, longest=HOUR) == ("11:45", "12:15", "12:30")
    assert extension(meeting("11:00", "12:15"), own=("11:00-12:15",), longest=HOUR) is None


@pytest.mark.parametrize(
    "calendar",
    [
        (),
        (meeting("12:30", "13:00"),),
        (meeting("11:00", "12:30", show_as=ShowAs.FREE),),
        (meeting("00:00", "23:59", all_day=True),),
    ],
    ids=["nothing", "later", "shown as free", "all day"],
)
def test_where_no_meeting_runs_nothing_is_extended(calendar: tuple[Meeting, ...]) -> None:
    assert extension(*calendar) is None


def test_bookings_that_are_long_over_are_forgotten() -> None:
    own = OwnBookings()
    own.note("boardroom", at("09:00"), at("10:00"), at("09:00"))
    own.note("boardroom", at("11:00"), at("12:00"), at("11:00"))
    assert len(own.of("boardroom")) == 2
    own.note("boardroom", at("12:00"), at("12:30"), at("12:00"))
    assert own.of("boardroom") == {(at("11:00"), at("12:00")), (at("12:00"), at("12:30"))}
    assert own.of("library") == ()


async def test_extend_is_offered_again_at_once_after_an_extension_and_after_a_restart() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:00", "12:15"))
    assert (await setup.ask(EXTEND, meeting=at("11:00"), until=at("12:45"))).outcome is Outcome.DONE
    for _ in range(2):
        offer = setup.service.offer("boardroom")
        assert offer is not None
        assert offer.extension is not None
        assert (offer.extension.meeting, offer.extension.begin) == (at("11:00"), at("12:45"))
        setup.start()


async def test_no_extension_is_offered_where_extending_is_not_allowed() -> None:
    setup = ActionSetup(settings(allow=["book"]))
    setup.book(meeting("11:00", "12:15"))
    offer = setup.service.offer("boardroom")
    assert offer is not None
    assert offer.extension is None
