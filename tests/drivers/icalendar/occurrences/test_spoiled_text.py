"""Whatever becomes of a calendar's text, it is read, or it is malformed: there is no other error."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.occurrences.reading import read_calendars
from tests.drivers.icalendar.calendar_bodies import NINE, calendar, event, times, window

CORPUS = sorted(Path(__file__).parents[1].joinpath("corpus").glob("*.ics"))
TEXTS = [path.read_bytes() for path in CORPUS]
LINES = sorted({line for text in TEXTS for line in text.splitlines()})


def read(body: bytes) -> list[tuple[str, str]] | None:
    """What occupies the room; None if it is malformed."""
    try:
        contents = read_calendars([body], window())
    except Malformed as problem:
        if "reading it failed" in problem.what:
            raise AssertionError(problem.what) from None
        return None
    assert contents is not None
    return times(contents.meetings)


@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(LINES)), max_size=3),
    st.lists(st.integers(0, 60), max_size=2),
)
def test_lines_that_are_mixed_up_are_no_error_of_the_program(
    text: bytes, added: list[tuple[int, bytes]], removed: list[int]
) -> None:
    lines = text.split(b"\r\n")
    for place, line in added:
        lines.insert(place, line)
    for place in removed:
        if place < len(lines):
            del lines[place]
    read(b"\r\n".join(lines))


@given(st.sampled_from(TEXTS), st.integers(0, 2000), st.binary(max_size=6), st.integers(0, 6))
def test_bytes_that_are_changed_are_no_error_of_the_program(
    text: bytes, place: int, new: bytes, removed: int
) -> None:
    read(text[:place] + new + text[place + removed :])


@given(st.binary(max_size=80))
def test_any_value_is_understood_or_malformed(value: bytes) -> None:
    for name in (b"DTSTART", b"DTEND", b"RRULE", b"RDATE", b"EXDATE", b"RECURRENCE-ID", b"DURATION", b"UID"):
        for separator in (b":", b";TZID=", b";"):
            line = name + separator + value.replace(b"\n", b"")
            read(calendar(event(*NINE)).replace(b"END:VEVENT", line + b"\r\nEND:VEVENT"))


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=40))
def test_no_text_of_a_title_or_description_frees_the_room(text: str) -> None:
    expected = times_of_nine()
    for line in (f"SUMMARY:{text}", f"DESCRIPTION:{text}", f"X-NOTE:{text}", f"DESCRIPTION:a\r\n {text}"):
        assert read(calendar(event(line, *NINE))) == expected


def times_of_nine() -> list[tuple[str, str]]:
    nine = datetime.fromisoformat("2026-12-02 08:00")
    return [(f"{nine:%Y-%m-%d %H:%M}", f"{nine + timedelta(hours=1):%Y-%m-%d %H:%M}")]
