"""A manual page in the language of man(7): the few requests that are needed, and text that is safe in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from datetime import date

# To roff `-` is a hyphen that no shell understands when it is copied, and quotes are curly: groff_char(7).
_CHARACTERS = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_MARKUP = re.compile(r"(?<!\\)\[(/?)(bold|dim)\]")
_LITERAL = re.compile(r"``?([^`]+)``?")


def escaped(text: str) -> str:
    """The text such that a page shows it as it is, wherever in a line it stands."""
    safe = "".join(
        _CHARACTERS.get(character, character if character.isascii() else f"\\[u{ord(character):04X}]")
        for character in " ".join(text.split())
    )
    # A dot at the beginning of a line would be a request; a quote there has been escaped already.
    return rf"\&{safe}" if safe.startswith(".") else safe


def bold(text: str) -> str:
    """The text in bold, as what is typed is set."""
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    """The text in italics, as what is replaced is set."""
    return rf"\fI{escaped(text)}\fR"


def prose(text: str) -> str:
    """A paragraph of the program's help: rich's bold stays bold, its dim is plain, `code` is bold."""
    parts, is_bold, at = [], False, 0
    for tag in _MARKUP.finditer(text):
        parts.append(_run(text[at : tag.start()], is_bold=is_bold))
        is_bold = tag[2] == "bold" and not tag[1]
        at = tag.end()
    parts.append(_run(text[at:], is_bold=is_bold))
    line = "".join(parts).strip()
    return rf"\&{line}" if line.startswith(".") else line


def _run(text: str, *, is_bold: bool) -> str:
    plain = re.sub(r"\\+\[", "[", text)  # as rich's markup writes a bracket that is none of its own
    if is_bold:
        return bold(plain)
    pieces = _LITERAL.split(plain)
    # Every second one stood between backticks. Spaces at the ends matter: what is beside them is set apart.
    return "".join(bold(piece) if odd % 2 else _kept(piece) for odd, piece in enumerate(pieces))


def _kept(text: str) -> str:
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    return before + escaped(text).removeprefix(r"\&") + after


@dataclass(slots=True)
class Page:
    """A page that grows from its head downward."""

    name: str
    section: int
    summary: str
    version: str
    day: date
    _lines: list[str] = field(default_factory=list)

    def section_of(self, title: str) -> Self:
        """A heading, in capitals as all pages have them, but for what is typed in brackets."""
        words = (word if word.startswith("[") else word.upper() for word in title.split())
        return self._add(f'.SH "{escaped(" ".join(words))}"')

    def part(self, title: str) -> Self:
        """A heading below the section's."""
        return self._add(f'.SS "{escaped(title)}"')

    def paragraph(self, line: str) -> Self:
        """A paragraph; what is in it has been made safe."""
        return self._add(".PP", line)

    def entry(self, term: str, *lines: str) -> Self:
        """A term, and what it means beside or below it."""
        self._add(".TP", term, lines[0])
        for line in lines[1:]:
            self._add(".br", line)
        return self

    def example(self, text: str) -> Self:
        """Lines that are shown as they are."""
        self._add(".PP", ".RS 4", ".nf")
        for line in text.strip("\n").splitlines():
            indent = len(line) - len(line.lstrip())
            self._add((r"\ " * indent + escaped(line)) or r"\&")
        return self._add(".fi", ".RE")

    def _add(self, *lines: str) -> Self:
        self._lines += lines
        return self

    def __str__(self) -> str:
        head = (
            rf'.TH "{self.name.upper()}" "{self.section}" "{self.day.isoformat()}" '
            rf'"placed {escaped(self.version)}" "placed"'
        )
        # No hyphenation, and no spaces stretched: commands and keys are to be copied.
        name = rf"{self.name} \- {escaped(self.summary)}"
        return "\n".join((head, ".nh", ".ad l", '.SH "NAME"', name, *self._lines, ""))
