"""Content lines (RFC 5545, section 3.1): the name, the parameters and the value of a property."""

from __future__ import annotations

import re

import msgspec

from placed_icalendar.calendar_text.malformed import Malformed

# The values of these contain no colon, but the name of a time zone in their parameters may, also without the
# quotes that RFC 5545 demands: DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20261202T090000.
TIME_PROPERTIES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"})

_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)')
_UNQUOTED_PARAMETER = re.compile(r";\s*([A-Za-z0-9-]+)=([^;]*)")
_TEXT_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET_ESCAPE = re.compile(r"\^(['n^])")
_CARETS = {"'": '"', "n": "\n", "^": "^"}  # RFC 6868


class ContentLine(msgspec.Struct, frozen=True, gc=False):
    """A property.

    Attributes:
        name: upper-case.
        parameters: by upper-case name; without quotes.
        value: as written.
        line: where it begins in the body, counted from 1.
    """

    name: str
    parameters: dict[str, str]
    value: str
    line: int

    def malformed(self, what: str) -> Malformed:
        """An error about this property. It has its place, and never its value."""
        return Malformed(what, self.line, self.name)

    @property
    def text(self) -> str:
        """The value without the escapes of TEXT (RFC 5545, section 3.3.11)."""
        return unescaped(self.value)


def content_line(name: bytes, rest: bytes, line: int) -> ContentLine:
    """Takes a property apart.

    Args:
        name: in any case.
        rest: from the `;` or `:` after the name, unfolded.
        line: of the body.

    Raises:
        Malformed: there is no value, or a parameter is invalid.
    """
    known = name.decode("ascii", "replace").upper()
    text = rest.decode("utf-8", "replace").strip("\r")
    if text.startswith(":"):
        return ContentLine(known, {}, text[1:], line)
    if known in TIME_PROPERTIES:
        head, colon, value = text.rpartition(":")
        pattern = _PARAMETER if '"' in head else _UNQUOTED_PARAMETER
        end = len(head)
    else:
        pattern = _PARAMETER
        end = _first_colon(text)
        head, colon, value = text[:end], text[end : end + 1], text[end + 1 :]
    if not colon:
        raise Malformed("a property has no value", line, known)
    parameters: dict[str, str] = {}
    position = 0
    while position < end:
        found = pattern.match(head, position)
        if found is None:
            raise Malformed("a parameter is invalid", line, known)
        parameters[found[1].upper()] = _CARET_ESCAPE.sub(lambda m: _CARETS[m[1]], found[2].replace('"', ""))
        position = found.end()
    return ContentLine(known, parameters, value, line)


def unescaped(value: str) -> str:
    r"""The value of a TEXT property, `\\n`, `\\,`, `\\;` and `\\\\` replaced by what they stand for."""
    if "\\" not in value:
        return value
    return _TEXT_ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _first_colon(text: str) -> int:
    """Position of the first colon outside quotes; the length of the text if there is none."""
    if '"' not in text:
        return text.find(":") if ":" in text else len(text)
    quoted = False
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return position
    return len(text)
