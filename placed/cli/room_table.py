"""The table of rooms in `placed rooms` and `placed watch`: colour, word and shape. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.cli import presence_words
from placed.domain.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from rich.console import RenderableType
    from rich.table import Table

    from placed.panel.received_documents import PresenceHeard

STYLES = {"free": "green", "starting": "yellow", "busy": "red", "pending": "magenta", "unknown": "dim"}
# As on the page: circle, triangle, square, hexagon, diamond.
SHAPES = {"free": "○", "starting": "△", "busy": "■", "pending": "⬡", "unknown": "◇"}

_STYLED = {"status": STYLES, "use": presence_words.STYLES}

_AROUND = 6  # lines: head, foot, and the table's heading and three rules
_LONGEST = 200  # characters of a text from outside
NO_MATCH = "No room matches these filters."
_MINUTE = timedelta(minutes=1)
_FREE = (Status.FREE, Status.STARTING)
_WORD = re.compile(r"[a-z]+")
_COMMANDING = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")
_TURNING = re.compile("[\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
# Columns that are omitted if the terminal is narrower than this.
_LEAST = {"where": 64, "left": 52, "next": 88, "note": 76}
_LEAST_WITH_USE = {"where": 66, "left": 88, "use": 54, "next": 100, "note": 78}
_LEAST_WITHOUT_NOTES = _LEAST_WITH_USE | {"left": 76, "note": 88}  # the empty column gives way to `left`
_SHORTENED = {"room": 9, "where": 8, "use": 9, "note": 9}  # minimum widths
_HEADINGS = ("room", "where", "status", "until", "left", "use", "next", "note")
_STEADY = {
    "status": 10,
    "until": 9,
    "left": 7,
}  # fixed widths on a wide terminal, so that the table does not jump
_WIDE = 80


@dataclass(frozen=True, slots=True)
class Line:
    """The row of a room. `status` may be a word that this version does not know."""

    name: str
    building: str | None
    floor: str | None
    status: str
    until: datetime | None = None
    next_start: datetime | None = None
    stale: bool = False
    note: str = ""
    presence: PresenceHeard | None = None
    use: str | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """By building, floor and name; floor 10 comes after floor 2."""
        floor = self.floor or ""
        number = int(floor) if floor.removeprefix("-").isdecimal() else 0
        return (self.building or "").casefold(), number, floor.casefold(), self.name.casefold()


@dataclass(frozen=True, slots=True)
class View:
    """The content of the terminal as texts, so that equal views look the same."""

    head: tuple[str, str]  # and its style
    rows: tuple[tuple[str, ...], ...]  # name, where, status, until, left, use, next, note
    foot: str = ""
    size: tuple[int, int] = (0, 0)


def view(
    lines: Iterable[Line],
    moment: datetime,
    head: tuple[str, str],
    size: tuple[int, int],
    *,
    filtered: bool = False,
) -> View:
    """The first lines that fit on a terminal of (columns, lines).

    Args:
        lines: the matching rooms, in order.
        moment: the current time.
        head: the line above the table, and its style.
        size: of the terminal.
        filtered: whether there are rooms, so that no line means that none matches.
    """
    every = list(lines)
    fitting = max(1, size[1] - _AROUND)
    more = len(every) - fitting
    foot = NO_MATCH if filtered and not every else ""
    foot = f"… and {more:,} more; a filter such as --floor or --search shows fewer" if more > 0 else foot
    return View(head, tuple(cells(line, moment) for line in every[:fitting]), foot, size)


def cells(line: Line, moment: datetime) -> tuple[str, ...]:
    """The texts of a row at the moment."""
    return (
        plain(line.name),
        plain(" ".join(part for part in (line.building, line.floor) if part)),
        _status(line),
        clock(line.until, moment),
        left(line.status, line.until, moment),
        presence_words.cell(line.presence, line.use, lambda since: clock(since, moment)),
        clock(line.next_start, moment),
        plain(line.note),
    )


def rendered(shown: View) -> RenderableType:
    """The view as a rich renderable."""
    from rich.console import Group
    from rich.text import Text

    head, style = shown.head
    return Group(
        Text(head, style, no_wrap=True, overflow="ellipsis"),
        table(shown.rows, shown.size[0]),
        Text(shown.foot, "dim", no_wrap=True, overflow="ellipsis"),
    )


def table(rows: Sequence[tuple[str, ...]], width: int) -> Table:
    """A table for a terminal of this width; one row per room. `use` is there if a room has sensors."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    has_use = any(row[_HEADINGS.index("use")] for row in rows)
    has_notes = any(row[_HEADINGS.index("note")] for row in rows)
    least = (_LEAST_WITH_USE if has_notes else _LEAST_WITHOUT_NOTES) if has_use else _LEAST
    wanted = [width >= least.get(heading, 0) and (heading != "use" or has_use) for heading in _HEADINGS]
    made = Table()
    for column, (heading, is_wanted) in enumerate(zip(_HEADINGS, wanted, strict=True)):
        if is_wanted:
            longest = max((cell_len(row[column]) for row in rows), default=0)
            made.add_column(
                heading,
                no_wrap=heading not in _SHORTENED,  # rich makes only the other columns narrower
                overflow="ellipsis",
                min_width=max(
                    len(heading),
                    min(longest, _SHORTENED.get(heading, longest)),
                    _STEADY.get(heading, 0) if width >= _WIDE else 0,
                ),
                justify="right" if heading == "left" else "left",
            )
    for row in rows:
        # As Text, since rich would parse a string as markup, and names may contain brackets. No text wraps.
        texts = [
            Text(
                cell,
                _style(cell, _STYLED[heading]) if heading in _STYLED else "",
                no_wrap=True,
                overflow="ellipsis",
            )
            for heading, cell in zip(_HEADINGS, row, strict=True)
        ]
        made.add_row(*(text for text, is_wanted in zip(texts, wanted, strict=True) if is_wanted))
    return made


def _style(cell: str, styles: Mapping[str, str]) -> str:
    """The style of the first word that has one."""
    return next((styles[word] for word in _WORD.findall(cell) if word in styles), "")


def _status(line: Line) -> str:
    """Shape and word, with `stale` beside it, since a narrow terminal shows no notes."""
    word = plain(line.status)
    shaped = f"{SHAPES[word]} {word}" if word in SHAPES else word
    return f"{shaped}, stale" if line.stale else shaped


def summary(lines: Sequence[Line], of: int) -> str:
    """`12 rooms: 5 free, 7 busy`; `5 of 12 rooms: …` if not all are shown."""
    counted = [(word, sum(line.status == word for line in lines)) for word in SHAPES]
    counts = ", ".join(f"{number:,} {word}" for word, number in counted if number)
    rooms = f"{of:,} room{'' if of == 1 else 's'}"
    number = rooms if len(lines) == of else f"{len(lines):,} of {rooms}"
    return f"{number}: {counts}" if counts else number


def clock(moment: datetime | None, now: datetime) -> str:
    """The local time, with the day if it is not today."""
    if moment is None:
        return ""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%a %H:%M}"


def left(status: str, until: datetime | None, now: datetime) -> str:
    """The remaining time in minutes; rounded down for free rooms, up for others."""
    if until is None or until <= now:
        return ""
    minutes = (until - now) // _MINUTE if status in _FREE else -((now - until) // _MINUTE)
    if minutes < 1:
        return "<1 min"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left:02}" if hours else f"{minutes} min"


def changes_in(lines: Iterable[Line], moment: datetime) -> float | None:
    """Seconds until a countdown reaches the next minute; None without a countdown."""
    counted = [(line.until - moment) % _MINUTE for line in lines if line.until and line.until > moment]
    return min(counted).total_seconds() if counted else None


def plain(text: str) -> str:
    """A text from outside, shortened, without control and direction characters."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return _TURNING.sub("", _COMMANDING.sub(" ", cut))
