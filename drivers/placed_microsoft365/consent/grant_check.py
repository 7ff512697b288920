"""Checks once whether the grant is in effect: in the token, in the directory, and on the calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Reason, Room
from placed.driver import Failed, GrantProbe, NotPermitted, Problem, Query, Unavailable
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed_microsoft365 import rooms as directory
from placed_microsoft365.calendars.batch_reader import CalendarReader
from placed_microsoft365.calendars.calendar_view import CalendarViews
from placed_microsoft365.consent.fresh_sign_in import fresh_sign_in
from placed_microsoft365.graph.client import BATCH_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Answer, FoundRoom, Surroundings
    from placed_microsoft365.consent.fresh_sign_in import FreshSignIn
    from placed_microsoft365.settings import Microsoft365Settings


async def probe(settings: Microsoft365Settings, surroundings: Surroundings) -> GrantProbe:
    """See `placed.driver.ConsentFlow.probe`. One batch of rooms is asked for, and no more than that.

    A failure that the administrator's grant will fix is not an error here: the caller waits for it.

    Raises:
        DriverError: network or service failed, or the sign-in is refused permanently.
        SettingsError: a file in the settings is invalid.
    """
    async with fresh_sign_in(settings, surroundings) as attempt:
        try:
            missing = await attempt.not_listed()
            if missing:
                return not_listed(missing)
            rooms = await directory.find_rooms(attempt.graph, settings)
            if not rooms:
                remedy = "add the room mailboxes to the group or list that room_group or room_list names"
                return GrantProbe(effective=False, problem=Problem("", "no rooms are found", remedy))
            return _of_calendars(await _read(attempt, surroundings, rooms))
        except NotPermitted as error:
            return GrantProbe(effective=False, problem=replace(error.problem, lasting=False))


def not_listed(names: Sequence[str]) -> GrantProbe:
    """Returns the result for a token that lacks permissions."""
    listed = " and ".join(names)
    remedy = (
        f"if this stays, check in Entra whether the application's API permissions ask for {listed} "
        "and whether consent was given to them"
    )
    return GrantProbe(effective=False, problem=Problem("", f"the token does not list {listed} yet", remedy))


async def _read(attempt: FreshSignIn, surroundings: Surroundings, rooms: Sequence[FoundRoom]) -> list[Answer]:
    """Reads one minute of as many rooms as one batch holds."""
    now = surroundings.now()
    settings = attempt.settings
    queries = [
        Query(
            Room(str(n), settings.name, room.address, room.mailbox, str(n), settings.time_zone),
            now,
            now + timedelta(minutes=1),
        )
        for n, room in enumerate(rooms[:BATCH_SIZE])
    ]
    limit = ConcurrencyLimit(1)
    answers: list[Answer] = []
    calendars = CalendarReader(
        attempt.graph, limit, CalendarViews(attempt.graph, limit, details=False), surroundings.now
    )
    await calendars.read(queries, answers.append)
    return answers


def _of_calendars(answers: Sequence[Answer]) -> GrantProbe:
    failures = [answer for answer in answers if isinstance(answer, Failed)]
    readable = len(answers) - len(failures)
    if readable:
        text = f"{readable} of {len(answers)} rooms that were tried can be read"
        return GrantProbe(effective=True, problem=Problem("", text))
    forbidden = [failure for failure in failures if failure.reason is Reason.FORBIDDEN]
    if forbidden:
        first = forbidden[0].problem
        text = f"the calendars are refused: {first.text}"
        return GrantProbe(effective=False, problem=Problem("", text, first.remedy))
    first = failures[0].problem
    if all(failure.reason is Reason.NOT_FOUND for failure in failures):
        text = f"none of the rooms that were tried exists: {first.text}"
        return GrantProbe(effective=False, problem=Problem("", text, first.remedy, lasting=True))
    asked = [failure.problem.retry_after for failure in failures]
    rests = [rest for rest in asked if rest is not None]
    raise Unavailable(f"the calendars cannot be read now: {first.text}", retry_after=max(rests, default=None))
