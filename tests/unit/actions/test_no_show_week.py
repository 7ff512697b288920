"""The numbers of a week of no-shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from placed.actions.no_show_week import NoShowWeek, week_of

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize("hours", [0, 1, 100, 167.99])
def test_a_week_begins_on_monday(hours: float) -> None:
    assert week_of(MONDAY + timedelta(hours=hours)) == MONDAY
    assert week_of(MONDAY - timedelta(seconds=1)) == MONDAY - timedelta(days=7)


def test_the_sentence_of_a_rehearsal_has_its_three_numbers() -> None:
    week = NoShowWeek(MONDAY)
    assert week.sentence == "would have released 0 of 0 meetings"
    week = week.with_kept("checked_in").with_kept("checked_in").with_kept("exempt")
    week = week.with_release(rehearsal=True).with_release(rehearsal=True).with_later_use()
    assert week.kept == {"checked_in": 2, "exempt": 1}
    assert week.sentence == "would have released 2 of 5 meetings, 1 of them had people in the room later"


def test_the_sentence_of_releases_has_what_was_released() -> None:
    week = NoShowWeek(MONDAY).with_release(rehearsal=False)
    assert week.sentence == "released 1 of 1 meeting"
    both = week.with_release(rehearsal=True)
    assert both.sentence == (
        "would have released 1 of 2 meetings, 0 of them had people in the room later, "
        "released 1 of 2 meetings"
    )
