"""The questions for a kit of a CalDAV connection, and the check of their answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError

from placed.driver import KitError, Problem, Question
from placed_icalendar.caldav.caldav_settings import CalDavSettings
from placed_icalendar.caldav.hrefs import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SERVERS = ("radicale", "nextcloud", "other")
_QUESTIONS = (
    Question("url", "The address of the home with the rooms' calendars, such as https://cal.example/rooms/"),
    Question("server", f"The calendar server: {', '.join(SERVERS)}", default="other"),
    Question("username", "The account with which placed reads, and which is nobody's", default="placed"),
    Question(
        "calendars",
        "Which calendars of the home are rooms, by the last parts of their addresses, separated by commas; "
        "empty for all",
        default="",
        several=True,
    ),
    Question(
        "fence.canaries",
        "Addresses of people's calendars that placed must not be able to read, and that exist, two at best, "
        "separated by commas",
        several=True,
    ),
    Question("time_zone", "The rooms' time zone, such as Europe/Berlin", default="UTC"),
)
# They go into a rights file, whose entries are regular expressions, and into a page.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,63}")


@dataclass(frozen=True, slots=True)
class CalDavAnswers:
    """Valid answers.

    Attributes:
        settings: the resulting settings.
        server: one of `SERVERS`.
    """

    settings: CalDavSettings
    server: str

    @property
    def user(self) -> str:
        """The account."""
        if self.settings.username is None:
            raise AssertionError("a kit has an account")
        return self.settings.username

    @property
    def home(self) -> str:
        """Path of the home below the server's root, without slashes at its ends."""
        return key_of(urlsplit(self.settings.url).path or "/").strip("/")


def questions() -> Sequence[Question]:
    """See `placed.driver.Setup.questions`."""
    return _QUESTIONS


def answers_of(settings: CalDavSettings) -> Mapping[str, str]:
    """Returns the answers that correspond to the settings."""
    found = {
        "url": settings.url,
        "username": settings.username or "",
        "calendars": ",".join(settings.calendars),
        "fence.canaries": ",".join(settings.fence.canaries),
        "time_zone": settings.time_zone.key,
    }
    return {key: answer for key, answer in found.items() if answer}


def understand(connection: str, answers: Mapping[str, str]) -> CalDavAnswers:
    """Checks the answers.

    Raises:
        KitError: with a problem for each that is invalid.
    """
    given = {question.key: question.default or "" for question in _QUESTIONS} | {
        key: answer.strip() for key, answer in answers.items()
    }
    problems = [*_problems(given)]
    named = {problem.key for problem in problems}
    made: CalDavSettings | None = None
    try:
        made = CalDavSettings.model_validate(
            {
                "name": connection,
                "url": given["url"],
                "username": given["username"],
                "password_file": Path(f"$CREDENTIALS_DIRECTORY/secrets_{connection}"),
                "calendars": _several(given["calendars"]),
                "time_zone": given["time_zone"],
                "fence": {"canaries": _several(given["fence.canaries"])},
            }
        )
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            key = ".".join(str(step) for step in details["loc"] if isinstance(step, str))
            text = details["msg"].removeprefix("Value error, ")
            key = key or text.partition(":")[0]  # of a rule about several keys
            if key not in named:
                problems.append(Problem(key, text))
                named.add(key)
    if problems or made is None:
        raise KitError(*problems)
    return CalDavAnswers(made, given["server"].lower())


def _problems(given: Mapping[str, str]) -> Iterator[Problem]:
    """Returns the problems of answers that the settings would accept."""
    if given["server"].lower() not in SERVERS:
        yield Problem("server", f"expected one of {', '.join(SERVERS)}")
    if not _PLAIN.fullmatch(given["username"]):
        yield Problem("username", "expected letters, digits and @ . _ -")
    if not _several(given["fence.canaries"]):
        text = "expected a person's calendar that placed must not read; without one nothing proves the fence"
        yield Problem("fence.canaries", text)


def _several(text: str) -> list[str]:
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))
