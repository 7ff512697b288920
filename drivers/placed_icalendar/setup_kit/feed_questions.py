"""The questions for a kit of a connection to feeds, and the check of their answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from placed.driver import KitError, Problem, Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from placed_icalendar.feeds.feed_settings import ICalendarSettings

PUBLISHERS = ("exchange", "nextcloud", "sogo", "zimbra", "other")
DETAILS = ("AvailabilityOnly", "LimitedDetails", "FullDetails")
_QUESTIONS = (
    Question(
        "publisher", f"What publishes the rooms' calendars: {', '.join(PUBLISHERS)}", default="exchange"
    ),
    Question(
        "feeds",
        "The rooms, separated by commas: at Exchange and Zimbra the addresses of their mailboxes, else names",
        several=True,
    ),
    Question(
        "detail",
        f"What Exchange publishes of a meeting: {', '.join(DETAILS)}; only the last two have titles",
        default=DETAILS[0],
    ),
    Question("time_zone", "The rooms' time zone, such as Europe/Berlin", default="UTC"),
)
# They go into a script, into names of files, and into a page.
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class FeedAnswers:
    """Valid answers.

    Attributes:
        publisher: one of `PUBLISHERS`.
        rooms: their addresses or names.
        detail: one of `DETAILS`.
        zone: IANA name.
    """

    name: str
    publisher: str
    rooms: tuple[str, ...]
    detail: str
    zone: str


def questions() -> Sequence[Question]:
    """See `placed.driver.Setup.questions`."""
    return _QUESTIONS


def answers_of(settings: ICalendarSettings) -> Mapping[str, str]:
    """Returns the answers that the settings hold: no link is among them."""
    found = {"feeds": ",".join(settings.feeds), "time_zone": settings.time_zone.key}
    hosts = {feed.url.host for feed in settings.feeds.values() if feed.url is not None}
    if any(host.endswith(("outlook.office365.com", "outlook.live.com")) for host in hosts):
        found["publisher"] = "exchange"
    return found


def understand(connection: str, answers: Mapping[str, str]) -> FeedAnswers:
    """Checks the answers.

    Raises:
        KitError: with a problem for each that is invalid.
    """
    given = {question.key: question.default or "" for question in _QUESTIONS} | {
        key: answer.strip() for key, answer in answers.items()
    }
    found = FeedAnswers(
        connection,
        given["publisher"].lower(),
        tuple(dict.fromkeys(room.strip() for room in given["feeds"].split(",") if room.strip())),
        next((one for one in DETAILS if one.lower() == given["detail"].lower()), ""),
        given["time_zone"],
    )
    problems = [*_problems(found)]
    if problems:
        raise KitError(*problems)
    return found


def _problems(found: FeedAnswers) -> Iterator[Problem]:
    if found.publisher not in PUBLISHERS:
        yield Problem("publisher", f"expected one of {', '.join(PUBLISHERS)}")
    if not found.detail:
        yield Problem("detail", f"expected one of {', '.join(DETAILS)}")
    addresses = found.publisher in {"exchange", "zimbra"}
    shape, example = (_ADDRESS, "boardroom@contoso.com") if addresses else (_NAME, "boardroom")
    if not found.rooms:
        yield Problem("feeds", f"expected at least one room, such as {example}")
    for place, room in enumerate(found.rooms, start=1):
        if not shape.fullmatch(room):
            yield Problem("feeds", f"number {place} of them: expected a room such as {example}")
            break
    if len({room.lower() for room in found.rooms}) < len(found.rooms):
        yield Problem("feeds", "expected each room once; upper and lower case are the same")
    try:
        ZoneInfo(found.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem("time_zone", "expected an IANA time zone such as Europe/Berlin")
