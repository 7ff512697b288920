from __future__ import annotations

import pytest

from placed_icalendar.calendar_text.content_line import content_line
from placed_icalendar.calendar_text.malformed import Malformed


@pytest.mark.parametrize(
    ("name", "rest", "parameters", "value"),
    [
        ("SUMMARY", ":a: b; c", {}, "a: b; c"),
        ("DTSTART", ";TZID=Europe/Berlin:1", {"TZID": "Europe/Berlin"}, "1"),
        (
            "DTSTART",
            ';VALUE=DATE-TIME;TZID="(UTC+01:00) A, B":1',
            {"VALUE": "DATE-TIME", "TZID": "(UTC+01:00) A, B"},
            "1",
        ),
        ("DTSTART", ";TZID=(UTC+01:00) A, B:1", {"TZID": "(UTC+01:00) A, B"}, "1"),
        ("DTSTART", ";TZID=tzone://Microsoft/Custom:1", {"TZID": "tzone://Microsoft/Custom"}, "1"),
        (
            "ATTENDEE",
            ';CN="x: y";PARTSTAT=DECLINED:mailto:a@b',
            {"CN": "x: y", "PARTSTAT": "DECLINED"},
            "mailto:a@b",
        ),
        ("ORGANIZER", ";cn=^'A^' ^^ ^nB:mailto:a@b", {"CN": '"A" ^ \nB'}, "mailto:a@b"),
        (
            "ATTENDEE",
            ';MEMBER="mailto:a@b","mailto:c@d":mailto:e@f',
            {"MEMBER": "mailto:a@b,mailto:c@d"},
            "mailto:e@f",
        ),
    ],
)
def test_a_property_is_name_parameters_and_value(
    name: str, rest: str, parameters: dict[str, str], value: str
) -> None:
    line = content_line(name.encode(), rest.encode(), 7)
    assert (line.name, line.parameters, line.value, line.line) == (name, parameters, value, 7)


def test_a_text_is_read_without_its_escapes() -> None:
    assert content_line(b"SUMMARY", rb":a\, b\; c\\n\nd\Ne", 1).text == "a, b; c\\n\nd\ne"


@pytest.mark.parametrize("rest", [";TZID=a", ";=:b", ';CN="a:b', ";CN:b"])
def test_an_invalid_property_is_malformed_and_its_text_is_not_repeated(rest: str) -> None:
    with pytest.raises(Malformed, match=r"\(ATTENDEE, line 3\)"):
        content_line(b"attendee", rest.encode(), 3)


def test_text_that_is_not_utf_8_is_no_error() -> None:
    assert content_line(b"SUMMARY", b":caf\xe9", 1).value == "caf\ufffd"
