"""Whatever a series is made of, the driver finds exactly the occurrences that a slow oracle finds."""

from __future__ import annotations

from hypothesis import given, note

from placed_icalendar.occurrences.contents import Window
from placed_icalendar.occurrences.reading import read_calendars
from tests.drivers.icalendar.occurrences.expected_occurrences import expected_and_text
from tests.drivers.icalendar.occurrences.made_series import Made, series


@given(series())
def test_no_occurrence_of_a_series_is_lost_or_added(made: Made) -> None:
    rule = made.rule
    if rule.until is not None and rule.until < made.start:
        return  # it ended before it began; a test of its own
    expected, body = expected_and_text(made)
    note(body.decode())
    contents = read_calendars([body], Window(made.since, made.until, made.zone, None, details=False))
    assert contents is not None
    found = {(meeting.start, meeting.end) for meeting in contents.meetings}
    assert expected - found == set(), "lost"
    assert found - expected == set(), "added"
    keys = [meeting.key for meeting in contents.meetings]
    assert len(set(keys)) == len(keys)
