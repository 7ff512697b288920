"""Checks that the project may use the Google Calendar API, by asking for one room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import DriverError, Finding, UnexpectedAnswer, Verdict
from placed.driver.shared_findings import AGAIN
from placed_google.api.json_structs import Events
from placed_google.api.reply import decode, is_ok
from placed_google.fence import a_minute

if TYPE_CHECKING:
    from datetime import datetime

    from placed_google.api.client import ApiClient
    from placed_google.settings import GoogleSettings

# Where the directory lists the rooms none is known yet. An id that nobody has is answered as well.
_NOBODY_S = "placed-doctor@resource.calendar.google.com"
_IN_BETWEEN = "check for a proxy or a sign-in page of the network that answers in Google's place"
_ANSWERS = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND})  # about the calendar, which the API looked for


async def look_at_api(events: ApiClient, settings: GoogleSettings, now: datetime) -> Finding:
    """Returns the finding `api`. Whether the room itself is readable is another check."""
    calendar = settings.rooms[0] if settings.rooms else _NOBODY_S
    try:
        reply = await events.ask("GET", a_minute(calendar.lower(), now))
    except DriverError as error:
        return Finding.of("api", Verdict.BAD, str(error), error.problem.remedy or AGAIN)
    if is_ok(reply):
        try:
            decode(reply.body, Events)
        except UnexpectedAnswer:
            return Finding.of("api", Verdict.BAD, "the answer is no calendar", _IN_BETWEEN)
        return _good()
    meaning = events.meaning(reply)
    if not meaning.row.everywhere and meaning.row.reason in _ANSWERS:
        return _good()
    text, remedy = str(meaning.error), meaning.problem.remedy or AGAIN
    verdict = Verdict.BAD if meaning.problem.lasting else Verdict.DOUBTFUL
    return Finding.of("api", verdict, text, remedy)


def _good() -> Finding:
    return Finding.of("api", Verdict.GOOD, "the Google Calendar API answers")
