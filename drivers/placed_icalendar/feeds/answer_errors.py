"""What the answers of a feed's host mean for its room, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from placed.domain.model import Reason
from placed.driver import Failed, Problem
from placed.driver.network.retry_after import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from placed.driver import DriverError, Query
    from placed_icalendar.calendar_text.malformed import Malformed

REFUSED_FOR = 300.0  # seconds between sign-ins after a refusal: some hosts lock an account after few of them
_PAUSE = 60.0  # seconds, where a host that is asked too often names none
_SERVER_ERRORS = range(500, 600)
NEW_LINK = (
    "the publisher made a new link, or publishes the calendar no more: put the new link into the settings"
)
_SHARE = "have the calendar shared with the user of the settings, or published to everybody who has the link"
_LOGIN = (
    "correct username and password_file; many hosts want an app password. It is tried every five minutes, "
    "since some hosts lock an account after few tries"
)
_NO_LOGIN = "set username and password_file for the feed, or have the calendar published by a link"
_PAGE = "open the link in a private window of a browser: it has to download a file, without a sign-in"
_BROWSER = "open the link in a browser: it has to download a calendar"
_TEXT = "open the link in a calendar program; if the calendar is right there, report a bug with this line"
_TOO_BIG = "have the calendar published from yesterday on, and not for all of its past"
_FAR = (
    "have the calendar published further ahead (Exchange: Set-MailboxCalendarFolder -PublishDateRangeTo "
    "ThreeDays), or set polling.days_ahead lower"
)


class RoomTrouble(NamedTuple):
    """Why a room cannot be read."""

    reason: Reason
    problem: Problem

    def failed(self, query: Query) -> Failed:
        """The answer to the query."""
        return Failed(query, self.reason, self.problem)


def of_status(status: int, headers: Mapping[str, str], now: datetime, *, login: bool) -> RoomTrouble:
    """The meaning of a status other than 200 and 304.

    Args:
        status: of the answer.
        headers: of the answer.
        now: the time, for a Retry-After that is a date.
        login: whether a login was sent.
    """
    rest = parse_retry_after(headers.get("Retry-After"), now)
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            text = "401, the login is refused" if login else "401, the host wants a login"
            remedy = _LOGIN if login else _NO_LOGIN
            problem = Problem("", text, remedy, lasting=True, retry_after=REFUSED_FOR)
            return RoomTrouble(Reason.REFUSED, problem)
        case HTTPStatus.FORBIDDEN:
            return RoomTrouble(Reason.FORBIDDEN, Problem("", "403, forbidden", _SHARE))
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return RoomTrouble(Reason.NOT_FOUND, Problem("", f"{status}, there is no such feed", NEW_LINK))
        case HTTPStatus.TOO_MANY_REQUESTS:
            problem = Problem("", "429, asked too often", retry_after=_PAUSE if rest is None else rest)
            return RoomTrouble(Reason.THROTTLED, problem)
        case _ if status in _SERVER_ERRORS:
            return RoomTrouble(
                Reason.UNAVAILABLE, Problem("", f"{status}, an error of the host", retry_after=rest)
            )
        case _:
            return RoomTrouble(Reason.MALFORMED, Problem("", f"the answer has the status {status}", _BROWSER))


def of_error(error: DriverError) -> RoomTrouble:
    """The meaning of an error of the network, or of an answer that is none."""
    problem = error.problem
    remedy = problem.remedy
    if error.reason is Reason.MALFORMED and not remedy:
        remedy = _TOO_BIG
    return RoomTrouble(error.reason, Problem("", problem.text, remedy, problem.lasting, problem.retry_after))


def of_text(error: Malformed) -> RoomTrouble:
    """The meaning of text that is not understood; it names line and property, and never a value."""
    return RoomTrouble(Reason.MALFORMED, Problem("", str(error), _TEXT))


def web_page() -> RoomTrouble:
    """A page in place of a calendar, with the status 200."""
    return RoomTrouble(Reason.MALFORMED, Problem("", "a web page in place of a calendar", _PAGE))


def publishes_too_little(until: datetime) -> RoomTrouble:
    """The calendar is published up to a moment before the end of what is asked for."""
    text = f"publishes up to {until:%Y-%m-%d}, which is not far enough"
    return RoomTrouble(Reason.MALFORMED, Problem("", text, _FAR, lasting=True))


def not_in_time(host: str) -> RoomTrouble:
    """The answer does not come in time; it is still waited for."""
    return RoomTrouble(Reason.UNAVAILABLE, Problem("", f"{host} sends no answer in time"))


def left_alone(host: str, seconds: float) -> RoomTrouble:
    """The host asked for a pause, at this feed or at another one."""
    return RoomTrouble(Reason.THROTTLED, Problem("", f"{host} asked for a pause", retry_after=seconds))
