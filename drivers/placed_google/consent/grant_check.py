"""Checks whether the grant is in effect: every room has to be readable, each of which is shared by itself."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Reason, Room
from placed.driver import Failed, GrantProbe, NotPermitted, Problem, Query, Unavailable
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed_google.calendars.batch_reader import BatchReader
from placed_google.calendars.request_budget import RequestBudget
from placed_google.calendars.room_calendar import RoomCalendars
from placed_google.client_factory import Clients
from placed_google.rooms import find_rooms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, FoundRoom, Surroundings
    from placed_google.settings import GoogleSettings

_FEW = 3  # rooms that are named
_NOT_GRANTED = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND})


class GrantCheck:
    """Checks with a sign-in of its own each time. Rooms that were readable are not asked again."""

    def __init__(self, settings: GoogleSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._readable: set[str] = set()  # mailboxes

    async def probe(self) -> GrantProbe:
        """See `placed.driver.ConsentFlow.probe`.

        A failure that the administrator's grant will fix is not an error here: the caller waits for it.

        Raises:
            DriverError: network or service failed, or the sign-in is refused permanently.
            SettingsError: a file in the settings is invalid.
        """
        async with _fresh_clients(self._settings, self._surroundings) as clients:
            try:
                rooms = await find_rooms(clients.directory, self._settings)
                if not rooms:
                    remedy = "create the rooms in the Admin console, or correct customer and room_query"
                    return GrantProbe(effective=False, problem=Problem("", "no rooms are found", remedy))
                left = [room for room in rooms if room.mailbox not in self._readable]
                answers = await self._read(clients, left)
            except NotPermitted as error:
                return GrantProbe(effective=False, problem=replace(error.problem, lasting=False))
        self._readable |= {a.query.room.mailbox for a in answers if not isinstance(a, Failed)}
        return _of_calendars(rooms, [answer for answer in answers if isinstance(answer, Failed)])

    async def _read(self, clients: Clients, rooms: Sequence[FoundRoom]) -> list[Answer]:
        """Reads one minute of the rooms."""
        now = self._surroundings.now()
        queries = [
            Query(
                Room(
                    str(n), self._settings.name, room.address, room.mailbox, str(n), self._settings.time_zone
                ),
                now,
                now + timedelta(minutes=1),
            )
            for n, room in enumerate(rooms)
        ]
        limit = ConcurrencyLimit(self._surroundings.concurrency)
        budget = RequestBudget(self._settings.requests_per_minute)
        calendars = RoomCalendars(clients.events, limit, budget, details=False, zone=None)
        answers: list[Answer] = []
        reader = BatchReader(clients.events, limit, budget, calendars, self._surroundings.now)
        await reader.read(queries, lambda *found: answers.extend(found))
        return answers


@asynccontextmanager
async def _fresh_clients(settings: GoogleSettings, surroundings: Surroundings) -> AsyncIterator[Clients]:
    clients = Clients(settings, surroundings)
    try:
        yield clients
    finally:
        await clients.close()


def _of_calendars(rooms: Sequence[FoundRoom], failures: Sequence[Failed]) -> GrantProbe:
    """Returns the result for rooms of which these could not be read."""
    if not failures:
        text = "every room can be read" if len(rooms) > 1 else "the room can be read"
        return GrantProbe(effective=True, problem=Problem("", text))
    closed = [failure for failure in failures if failure.reason in _NOT_GRANTED]
    if not closed:
        first = failures[0].problem
        rests = [rest for rest in (failure.problem.retry_after for failure in failures) if rest is not None]
        text = f"the calendars cannot be read now: {first.text}"
        raise Unavailable(text, retry_after=max(rests, default=None))
    text = f"{len(rooms) - len(failures)} of {len(rooms)} rooms can be read; not yet {_named(closed)}"
    remedies = Counter(failure.problem.remedy for failure in closed if failure.problem.remedy)
    remedy = remedies.most_common(1)[0][0] if remedies else ""
    return GrantProbe(effective=False, problem=Problem("", text, remedy))


def _named(failures: Sequence[Failed]) -> str:
    """`c_188a, c_188b and 3 more`: what is before the @ of their calendars' addresses."""
    names = sorted(failure.query.room.mailbox.partition("@")[0] for failure in failures)
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more
