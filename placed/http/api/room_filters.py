"""Which rooms a listing contains, by the query of its address. Pure.

- `building`, `floor`: those of the room, in any case; if given more than once, one of them has to match.
- `status`: one or more words, separated by commas or given more than once.
- `use`: one or more words, likewise. A room whose status or presence is not known never matches.
- `capacity`: for at least so many people. A room of unknown capacity never matches.
- `free_for`: free now, and for so long from now as far as is known: 45m, 2h; at most a day, because later
  meetings may not have been read. A room that is stale or unknown never matches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from placed.domain.model import Status
from placed.domain.presence import Use, use_of
from placed.driver.setting_values import Duration
from placed.http.errors import Mistake, bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from multidict import MultiMapping

    from placed.domain.state_document import Statement

_Word = TypeVar("_Word", bound=StrEnum)
_LONGEST = timedelta(days=1)
_duration: TypeAdapter[timedelta] = TypeAdapter(Duration)


@dataclass(frozen=True, slots=True)
class Filter:
    """The conditions on a room; None is no condition. Buildings and floors are case-folded."""

    buildings: frozenset[str] | None = None
    floors: frozenset[str] | None = None
    statuses: frozenset[Status] | None = None
    uses: frozenset[Use] | None = None
    capacity: int | None = None
    free_for: timedelta | None = None

    def lets_pass(self, statement: Statement, moment: datetime) -> bool:
        """Whether the room matches at `moment`."""
        room = statement.room
        return (
            (self.buildings is None or (room.building or "").casefold() in self.buildings)
            and (self.floors is None or (room.floor or "").casefold() in self.floors)
            and (self.statuses is None or status_at(statement, moment) in self.statuses)
            and (self.uses is None or use_at(statement, moment) in self.uses)
            and (self.capacity is None or (room.capacity is not None and room.capacity >= self.capacity))
            and (self.free_for is None or _stays_free(statement, moment, self.free_for))
        )


EVERYTHING = Filter()


def status_at(statement: Statement, moment: datetime) -> Status:
    """The status; unknown once the statement has expired."""
    occupancy = statement.occupancy
    return occupancy.status if moment < occupancy.valid_until else Status.UNKNOWN


def use_at(statement: Statement, moment: datetime) -> Use | None:
    """How the room is used; None if its status or its presence is not known."""
    presence = statement.presence
    if presence is None or (presence.valid_until is not None and moment >= presence.valid_until):
        return None
    return use_of(status_at(statement, moment), presence.state)


def _stays_free(statement: Statement, moment: datetime, duration: timedelta) -> bool:
    occupancy = statement.occupancy
    return (
        not occupancy.stale
        and status_at(statement, moment) in (Status.FREE, Status.STARTING)
        and (occupancy.free_until is None or occupancy.free_until - moment >= duration)
    )


class _Mistakes:
    """Collects the mistakes in a query, so that all of them are reported together."""

    def __init__(self) -> None:
        self.found: list[Mistake] = []

    def note(self, parameter: str, found: str, expected: str) -> None:
        self.found.append(Mistake(parameter, found, expected))

    def raise_if_any(self) -> None:
        if self.found:
            raise bad_request(*self.found)


def parse(query: MultiMapping[str]) -> Filter:
    """The filter in a query.

    Raises:
        HttpError: 400, with every parameter that is unknown or has an invalid value.
    """
    if not query:
        return EVERYTHING
    mistakes = _Mistakes()
    known_only(query, ("building", "floor", "status", "use", "free_for", "capacity"), mistakes)
    wanted = Filter(
        buildings=_names(query, "building", mistakes),
        floors=_names(query, "floor", mistakes),
        statuses=_words(query, "status", Status, mistakes),
        uses=_words(query, "use", Use, mistakes),
        capacity=_capacity(query, mistakes),
        free_for=_free_for(query, mistakes),
    )
    mistakes.raise_if_any()
    return wanted


def known_only(query: Iterable[str], known: Iterable[str], mistakes: _Mistakes | None = None) -> None:
    """Refuses unknown parameters: a misspelled filter must not return every room."""
    noted = mistakes or _Mistakes()
    names = ", ".join(known)
    for parameter in sorted(set(query) - set(known)):
        noted.note(parameter, parameter, f"one of the parameters {names}")
    if mistakes is None:
        noted.raise_if_any()


def _names(query: MultiMapping[str], parameter: str, mistakes: _Mistakes) -> frozenset[str] | None:
    values = query.getall(parameter, [])
    if any(not value.strip() for value in values):
        mistakes.note(parameter, "", "a name")
    return frozenset(value.strip().casefold() for value in values) if values else None


def _words(
    query: MultiMapping[str], parameter: str, known: type[_Word], mistakes: _Mistakes
) -> frozenset[_Word] | None:
    values = query.getall(parameter, [])
    words = [word.strip() for value in values for word in value.split(",")]
    by_value = {one.value: one for one in known}
    for word in words:
        if word not in by_value:
            mistakes.note(parameter, word, f"one or more of {', '.join(known)}, separated by commas")
    return frozenset(by_value[word] for word in words if word in by_value) if values else None


def _capacity(query: MultiMapping[str], mistakes: _Mistakes) -> int | None:
    value = _single(query, "capacity", mistakes)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 6):  # noqa: PLR2004 - a million seats
        mistakes.note("capacity", value, "a number of people such as 8")
        return None
    return int(value)


def _free_for(query: MultiMapping[str], mistakes: _Mistakes) -> timedelta | None:
    value = _single(query, "free_for", mistakes)
    if value is None:
        return None
    try:
        duration = _duration.validate_python(value)
    except (ValidationError, OverflowError):
        duration = None
    if duration is None or duration > _LONGEST:
        mistakes.note("free_for", value, "a duration up to a day, such as 45m or 2h")
        return None
    return duration


def _single(query: MultiMapping[str], parameter: str, mistakes: _Mistakes) -> str | None:
    values = query.getall(parameter, [])
    if len(values) > 1:
        mistakes.note(parameter, ", ".join(values), "it once")
        return None
    return values[0] if values else None
