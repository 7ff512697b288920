from __future__ import annotations

import pytest

from placed_icalendar.calendar_text.components import CalendarText, Component, read_components
from placed_icalendar.calendar_text.malformed import Malformed

KEPT = frozenset({b"UID", b"DTSTART"})


def read(*lines: str, end: str = "\r\n") -> tuple[list[CalendarText], list[Component]]:
    events: list[Component] = []
    calendars = read_components(end.join([*lines, ""]).encode(), KEPT, lambda _, event: events.append(event))
    return calendars, events


def around(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR")


def test_only_the_wanted_properties_are_kept_with_their_lines() -> None:
    _, (event,) = read(*around("SUMMARY:a", "DTSTART;TZID=b:c", "X-A:d", "uid:e"))
    assert event.properties == [(b"DTSTART", b";TZID=b:c", 4), (b"UID", b":e", 6)]
    assert event.line == 2


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_folded_line_is_one_property(end: str) -> None:
    _, (event,) = read(*around("DTSTART;TZID=Eur", " ope/Ber", "\tlin:2026", "X-A:b", " DTSTART:c"), end=end)
    assert event.properties == [(b"DTSTART", b";TZID=Europe/Berlin:2026", 3)]


def test_a_character_that_is_folded_in_the_middle_is_whole_again() -> None:
    body = "\r\n".join(around("UID:K\u00e4")).encode().replace(b"\xc3\xa4", b"\xc3\r\n \xa4")
    events: list[Component] = []
    read_components(body, KEPT, lambda _, event: events.append(event))
    assert events[0].properties == [(b"UID", b":K\xc3\xa4", 3)]


@pytest.mark.parametrize("folded", ["DTST\r\n ART:1", "DTSTART\r\n :1", "D\r\n\tTSTART:1"])
def test_the_name_of_a_property_may_be_folded(folded: str) -> None:
    _, (event,) = read(*around(folded))
    assert [(name, rest) for name, rest, _ in event.properties] == [(b"DTSTART", b":1")]


def test_an_event_whose_begin_and_end_are_folded_is_not_lost() -> None:
    _, events = read("BEGIN:VCALENDAR", "BEGIN:VEV", " ENT", "UID:a", "END:VEV", " ENT", "END:VCALENDAR")
    assert [event.properties[0][1] for event in events] == [b":a"]


def test_a_space_before_the_colon_hides_no_property() -> None:
    _, (event,) = read(*around("DTSTART :1"))
    assert event.properties == [(b"DTSTART", b":1", 3)]


def test_what_alarms_and_tasks_contain_is_not_the_events() -> None:
    lines = around("UID:a", "BEGIN:VALARM", "DTSTART:b", "UID:c", "END:VALARM", "DTSTART:d")
    calendars, (event,) = read(*lines[:-1], "BEGIN:VTODO", "UID:e", "END:VTODO", lines[-1])
    assert [rest for _, rest, _ in event.properties] == [b":a", b":d"]
    assert calendars[0].events == 1


def test_an_event_in_an_unknown_component_counts() -> None:
    _, events = read(
        "BEGIN:VCALENDAR",
        "BEGIN:X-ARCHIVE",
        "BEGIN:VEVENT",
        "UID:a",
        "END:VEVENT",
        "END:X-ARCHIVE",
        "END:VCALENDAR",
    )
    assert len(events) == 1


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([], "it is empty"),
        ([""], "it is empty"),
        (["<html>"], "does not begin with BEGIN:VCALENDAR"),
        (["VERSION:2.0", "BEGIN:VCALENDAR"], "does not begin with BEGIN:VCALENDAR"),
        (["BEGIN:VEVENT", "END:VEVENT"], "outside of a calendar"),
        (["BEGIN:VCALENDAR"], "cut off"),
        (["BEGIN:VCALENDAR", "BEGIN:VEVENT", "END:VCALENDAR"], "do not match"),
        (["BEGIN:VCALENDAR", "END:VCALENDAR", "END:VCALENDAR"], "do not match"),
        (["BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT"], "outside of a calendar"),
        (["BEGIN:VCALENDAR", "BEGIN:VEVENT", "BEGIN:VEVENT"], "inside of another"),
        (["BEGIN:VCALENDAR", "BEGIN:VCALENDAR"], "inside of another"),
    ],
)
def test_what_is_no_whole_calendar_is_malformed(lines: list[str], what: str) -> None:
    with pytest.raises(Malformed, match=what):
        read(*lines)


def test_an_error_names_the_line_and_the_property() -> None:
    with pytest.raises(Malformed) as caught:
        read("BEGIN:VCALENDAR", "", "END:VEVENT")
    assert str(caught.value) == "BEGIN and END do not match (END, line 3)"


def body_of(text: str) -> list[tuple[bytes, bytes]]:
    """Names and values of what is kept of the only event."""
    events: list[Component] = []
    read_components(text.encode(), KEPT, lambda _, event: events.append(event))
    (event,) = events
    return [(name, rest) for name, rest, _ in event.properties]


@pytest.mark.parametrize("line", ["item1.UID:a", "\0UID:a", "UID\0:a", "\ufeffUID:a", "\u00a0UID\u00a0:a"])
def test_a_group_or_invisible_characters_hide_no_property(line: str) -> None:
    assert body_of("\r\n".join(around(line, ""))) == [(b"UID", b":a")]


@pytest.mark.parametrize("odd", ["\0", "\u00a0", "\ufeff"])
def test_invisible_characters_hide_no_event(odd: str) -> None:
    lines = ("BEGIN:VCALENDAR", f"BEGIN:VEVENT{odd}", "UID:a", f"{odd}END:VEVENT{odd}", "END:VCALENDAR", "")
    assert body_of("\r\n".join(lines)) == [(b"UID", b":a")]


@pytest.mark.parametrize("name", ['"VEVENT"', "V EVENT", "", "VEVENT;X=1", "VEVENT,"])
def test_a_component_whose_name_is_none_is_malformed(name: str) -> None:
    with pytest.raises(Malformed, match="a component has an invalid name"):
        read("BEGIN:VCALENDAR", f"BEGIN:{name}", f"END:{name}", "END:VCALENDAR")
    with pytest.raises(Malformed, match="a component has an invalid name"):
        read("BEGIN:VCALENDAR", 'BEGIN;X="a:b":VEVENT', 'END;X="a:b":VEVENT', "END:VCALENDAR")


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n", "\n\n", "\r\n\r\n", "\n"])
@pytest.mark.parametrize("fold", ["UID:|a|b", "UID|:ab", "UI|D:ab", "UID |:ab", "UID:a||b"])
def test_lines_are_unfolded_however_they_end(fold: str, end: str) -> None:
    text = end.join([*around(fold.replace("|", f"{end} ")), ""])
    assert body_of(text) == [(b"UID", b":ab")]


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCALENDAR\nVERSION:2.0\n  BEGIN:VEVENT\n  UID:a\n  END:VEVENT\nEND:VCALENDAR\n",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n\tbegin:vfreebusy\r\n\tend:vfreebusy\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\rBEGIN:VEVENT\rUID:a\rEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nX-A:b\rRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "\r".join(around("UID:a")),
    ],
)
def test_a_text_that_hides_events_in_other_lines_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="indented, or ends with CR alone"):
        read_components(text.encode(), KEPT, lambda _calendar, _event: None)


def test_a_description_may_have_a_cr_alone() -> None:
    text = "\r\n".join(around("UID:a", "DESCRIPTION:one\rDuration: an hour\rthree", ""))
    assert body_of(text) == [(b"UID", b":a")]


def test_free_busy_in_an_unknown_component_counts() -> None:
    lines = ("BEGIN:X-A", "BEGIN:VFREEBUSY", "FREEBUSY:a", "END:VFREEBUSY", "END:X-A")
    (found,), _ = read("BEGIN:VCALENDAR", *lines, "END:VCALENDAR")
    assert [part.properties for part in found.free_busy] == [[(b"FREEBUSY", b":a", 4)]]
