"""What is recorded of a check-in window, and that no gap in it is overlooked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from placed.actions.no_show_watch import CheckInWays, Shown, Watch, shown_now
from placed.domain.model import Occupancy, Status
from tests.support.domain_builders import at, meeting

SECOND = timedelta(seconds=1)


# --- the process ---


def test_a_process_that_looks_every_second_watches_without_a_gap() -> None:
    watch = Watch(at("9:00"), 100.0)
    for second in range(1, 600):
        watch.look(at("9:00") + second * SECOND, 100.0 + second)
    assert watch.since == at("9:00")


@pytest.mark.parametrize(
    ("moment", "steady"),
    [
        (at("9:01:05.1"), 165.1),  # the event loop was held up, or the machine suspended
        (at("9:01:02"), 161.0),  # the wall clock was set forward
        (at("9:00:59"), 161.0),  # and back
    ],
)
def test_a_gap_or_a_step_of_the_clock_begins_again(moment: datetime, steady: float) -> None:
    watch = Watch(at("9:00"), 100.0)
    for second in range(1, 61):
        watch.look(at("9:00") + second * SECOND, 100.0 + second)
    watch.look(moment, steady)
    assert watch.since == moment
    watch.look(moment + SECOND, steady + 1)
    assert watch.since == moment


def test_a_reload_begins_again() -> None:
    watch = Watch(at("9:00"), 100.0)
    watch.look(at("9:00:01"), 101.0)
    watch.begin(at("9:00:01.5"), 101.5)
    watch.look(at("9:00:02"), 102.0)
    assert watch.since == at("9:00:01.5")


# --- the room's statements ---

ONE, OTHER = meeting("10:00", "11:00", key="one"), meeting("11:00", "12:00", key="other")
BUSY = Occupancy(Status.BUSY, stale=False, valid_until=at("11:00"), current=ONE)
UNKNOWN = Occupancy(Status.UNKNOWN, stale=True, valid_until=at("11:00"))


def test_a_meeting_is_shown_since_the_first_statement_of_it_without_a_gap() -> None:
    shown = shown_now(None, BUSY, at("10:00"))
    assert shown == Shown("one", at("10:00"), at("10:00"))
    longer = replace(BUSY, current=replace(ONE, end=at("11:30")))
    assert shown_now(shown, longer, at("10:05")) == shown
    assert shown_now(shown, UNKNOWN, at("10:05")) is None
    assert shown_now(None, BUSY, at("10:06")) == Shown("one", at("10:00"), at("10:06"))


def test_another_meeting_or_another_start_is_shown_again() -> None:
    shown = Shown("one", at("10:00"), at("10:00"))
    moved = replace(BUSY, current=replace(ONE, start=at("10:05")))
    assert shown_now(shown, moved, at("10:05")) == Shown("one", at("10:05"), at("10:05"))
    next_one = replace(BUSY, current=OTHER)
    assert shown_now(shown, next_one, at("11:00")) == Shown("other", at("11:00"), at("11:00"))


# --- ways to check in ---


def test_there_is_a_way_while_one_panel_or_another_is_connected() -> None:
    ways = CheckInWays()
    assert ways.since("boardroom", at("9:00")) is None
    ways.begin("boardroom", "tablet", at("9:00"))
    ways.begin("boardroom", "phone", at("9:10"))
    ways.end("boardroom", "tablet", at("9:20"))
    assert ways.since("boardroom", at("9:25")) == at("9:00")
    assert ways.since("atrium", at("9:25")) is None
    ways.end("boardroom", "phone", at("9:30"))
    assert ways.since("boardroom", at("9:30")) is None


def test_a_panel_that_reconnects_at_once_was_never_away() -> None:
    ways = CheckInWays()
    ways.begin("boardroom", "tablet", at("9:00"))
    ways.end("boardroom", "tablet", at("9:20"))
    ways.begin("boardroom", "tablet again", at("9:20:10"))
    assert ways.since("boardroom", at("9:21")) == at("9:00")


@pytest.mark.parametrize("again", ["9:20:10.1", "8:59:59"])
def test_a_panel_that_was_away_for_longer_is_a_way_since_it_came_back(again: str) -> None:
    ways = CheckInWays()
    ways.begin("boardroom", "tablet", at("9:00"))
    ways.end("boardroom", "tablet", at("9:20"))
    ways.begin("boardroom", "tablet", at(again))
    assert ways.since("boardroom", at("9:21")) == at(again)


def test_signs_of_life_are_a_way_as_long_as_they_come() -> None:
    ways, thirty = CheckInWays(), 30 * SECOND
    for minute in range(5):
        for second in (0, 30):
            moment = at("9:00") + (60 * minute + second) * SECOND
            ways.begin("boardroom", "tablet", moment, moment + thirty)
    assert ways.since("boardroom", at("9:04:59")) == at("9:00")
    assert ways.since("boardroom", at("9:05")) is None
    ways.begin("boardroom", "tablet", at("9:05:11"), at("9:06"))
    assert ways.since("boardroom", at("9:05:20")) == at("9:05:11")


def test_what_ends_twice_or_never_began_ends_nothing() -> None:
    ways = CheckInWays()
    ways.begin("boardroom", "tablet", at("9:00"))
    ways.end("boardroom", "phone", at("9:10"))
    ways.end("atrium", "phone", at("9:10"))
    assert ways.since("boardroom", at("9:20")) == at("9:00")


def test_rooms_that_are_gone_are_forgotten() -> None:
    ways = CheckInWays()
    ways.begin("boardroom", "tablet", at("9:00"))
    ways.begin("atrium", "tablet", at("9:00"))
    ways.keep(frozenset({"atrium"}))
    assert ways.since("boardroom", at("9:20")) is None
    assert ways.since("atrium", at("9:20")) == at("9:00")
