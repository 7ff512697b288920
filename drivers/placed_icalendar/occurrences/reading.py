"""Reads calendar text into drafts of meetings: the sieve, the events, their occurrences.

A draft is a `Meeting` with keys in full length; one may be there twice. What the worker imports is kept
small, so `placed.driver`, with its settings and schemas, is used only where drafts become meetings:
`meeting_drafts`.
"""

from __future__ import annotations

import traceback
from collections import deque
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from placed_icalendar.calendar_text.event import read_event
from placed_icalendar.calendar_text.malformed import Malformed, OverBudget
from placed_icalendar.calendar_text.sieve import Sieve, Sieved, Wanted
from placed_icalendar.occurrences.contents import Contents, Window
from placed_icalendar.occurrences.event_series import EventSeries
from placed_icalendar.occurrences.event_to_meeting import meeting_of
from placed_icalendar.occurrences.free_busy import free_busy_meetings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from placed.domain.model import Meeting

MOST_MEETINGS = 20_000
"""In a window. More are no calendar of a room."""


class Reading:
    """One reading of a room's calendars, in small steps, so that an event loop can do other work in between.

    Call `add` for each body, then run `read_events` and `find_meetings` to their ends, then call `contents`.
    Each of them raises Malformed if it does not understand the text.

    Args:
        window: what is asked.
    """

    def __init__(self, window: Window) -> None:
        wanted = Wanted(
            window.since,
            window.until,
            window.zone,
            window.address,
            window.details,
            zone_is_default=window.zone_is_default,
        )
        self._window = window
        self._sieve = Sieve(wanted)
        self._series: EventSeries | None = None
        self._meetings: list[Meeting] = []

    def add(self, body: bytes) -> None:
        """Takes a whole iCalendar stream."""
        self._sieve.add(body)

    @cached_property
    def _sieved(self) -> Sieved:
        return self._sieve.finish()

    @property
    def digest(self) -> bytes:
        """Of what decides about the meetings in this window."""
        return self._sieved.digest

    def read_events(self) -> Iterator[None]:
        """Reads the events, one in each step."""
        events = []
        for component, zones in self._sieved.events:
            events.append(read_event(component, zones))
            yield
        self._series = EventSeries(events, self._window.since, self._window.until)
        yield from self._series.sort()

    @property
    def largest_cost(self) -> float:
        """About how much the longest step of `find_meetings` takes, in steps of some microseconds."""
        return 0 if self._series is None else self._series.largest_cost

    def find_meetings(self) -> Iterator[None]:
        """Finds the meetings, one in each step."""
        for component, zones in self._sieved.free_busy:
            for meeting in free_busy_meetings(component, zones, self._window):
                self._add(meeting)
                yield
        if self._series is not None:
            for named in self._series.occurrences():
                if named is not None:
                    self._add(meeting_of(named, self._window))
                yield

    def contents(self) -> Contents:
        """What was found; the meetings are drafts."""
        sieved = self._sieved
        return Contents(
            meetings=tuple(sorted(self._meetings, key=_place)),
            digest=sieved.digest,
            events=sieved.total,
            newest=sieved.newest,
            last_end=sieved.last_end,
            exrules=sieved.exrules,
            zone=sieved.zone,
        )

    def _add(self, meeting: Meeting) -> None:
        self._meetings.append(meeting)
        if len(self._meetings) > MOST_MEETINGS:
            raise OverBudget(f"the calendar has more than {MOST_MEETINGS} meetings within days")


def _place(meeting: Meeting) -> tuple[datetime, str]:
    return meeting.start, meeting.key


@contextmanager
def understood() -> Iterator[None]:
    """Makes an error that no check has foreseen a `Malformed`, with its place in the program.

    Whatever a calendar causes must not reach other rooms.
    """
    try:
        yield
    except (Malformed, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - see above
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        raise Malformed(f"reading it failed with {type(error).__name__} in {place}") from None


def read_calendars(bodies: Sequence[bytes], window: Window, known: bytes | None = None) -> Contents | None:
    """Returns what the bodies contain, with drafts of meetings; None if the digest is `known`.

    Raises:
        Malformed: they are not understood. OverBudget: they have far too many occurrences.
    """
    with understood():
        reading = Reading(window)
        for body in bodies:
            reading.add(body)
        if reading.digest == known:
            return None
        for steps in (reading.read_events, reading.find_meetings):
            deque(steps(), maxlen=0)
        return reading.contents()
