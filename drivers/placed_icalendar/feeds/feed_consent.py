"""How a feed is opened to placed, and how that is taken back: there is nothing to consent to but the link."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Reason, Room
from placed.driver import (
    Consent,
    ConsentAnswer,
    Failed,
    GrantProbe,
    Letter,
    NotPermitted,
    Problem,
    Propagation,
    Query,
    Refused,
    Unavailable,
)
from placed.driver.network.retry_after import LONGEST_REST
from placed_icalendar.feeds.feed_parts import FeedParts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.driver import Answer, ConsentRequest, Permission, Surroundings
    from placed_icalendar.feeds.feed_settings import ICalendarSettings

_FEW = 3  # rooms that are named
_NOT_YET = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.REFUSED, Reason.MALFORMED})
_PERMISSION = (
    "Permission: everybody who has the link of a feed can read its calendar; with a login, its user. "
    "It cannot write, and it opens no other calendar. It is granted where each calendar is published: "
    "placed setup writes the steps for Exchange, Nextcloud, SOGo and Zimbra."
)
_UNPUBLISH = (
    "Each calendar: publish it no more, or make a new link. Exchange: Set-MailboxCalendarFolder "
    "-Identity ROOM:\\Calendar -PublishEnabled $false (in the folder that `placed setup` writes: "
    "unpublish-calendars.ps1). Nextcloud: the calendar's menu > Share link > Delete."
)
_LOGIN = "If feeds have a login: take its shares back, and delete the app password or the user."
_FILES = (
    "Delete the files with links and passwords on this server. Who else had a link can use it until the "
    "calendar is published no more."
)


class FeedConsent:
    """The grant of one connection; implements `placed.driver.ConsentFlow`."""

    def __init__(self, settings: ICalendarSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings

    @property
    def permissions(self) -> Sequence[Permission]:
        """See `placed.driver.ConsentFlow.permissions`: there is no page at which they are granted."""
        return ()

    @property
    def granted_elsewhere(self) -> str:
        """See `placed.driver.ConsentFlow.granted_elsewhere`."""
        return _PERMISSION

    @property
    def propagation(self) -> Propagation:
        """See `placed.driver.ConsentFlow.propagation`."""
        return Propagation(
            "a published calendar can be read at once, at Exchange after some minutes", 30.0, LONGEST_REST
        )

    def consent_url(self, redirect_uri: str, state: str) -> str:  # noqa: ARG002 - nothing redirects
        """See `placed.driver.ConsentFlow.consent_url`; there is no page."""
        return ""

    async def judge(self, answer: Mapping[str, str]) -> ConsentAnswer:  # noqa: ARG002 - no page sends one
        """See `placed.driver.ConsentFlow.judge`."""
        return ConsentAnswer(Consent.UNKNOWN, Problem("", "feeds have no consent page", _PERMISSION))

    def letter(self, asked: ConsentRequest, url: str) -> Letter:  # noqa: ARG002 - there is no page
        """See `placed.driver.ConsentFlow.letter`."""
        subject = "Request: publish the calendars of meeting rooms for placed"
        until = f"{asked.who} asks for this until {asked.lapses_on:%Y-%m-%d}: {asked.because}"
        lines = (until, _PERMISSION)
        page = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        return Letter(subject, "\n\n".join((subject, *lines, "")), f"<!DOCTYPE html>\n{page}\n")

    async def probe(self) -> GrantProbe:
        """See `placed.driver.ConsentFlow.probe`: every feed has to be readable."""
        parts = FeedParts(self._settings, self._surroundings)
        zone, now = self._settings.time_zone, self._surroundings.now()
        queries = [
            Query(
                Room(f.room, self._settings.name, f.mailbox, f.mailbox, f.room, zone),
                now,
                now + timedelta(minutes=1),
            )
            for f in parts.feeds
        ]
        answers: list[Answer] = []
        try:
            await parts.rooms.read(queries, answers.append)
        except (NotPermitted, Refused) as error:  # no feed is open yet: that is waited for
            return GrantProbe(effective=False, problem=replace(error.problem, lasting=False))
        finally:
            await parts.close()
        return _judge(answers)

    def revocation(self) -> Sequence[str]:
        """See `placed.driver.ConsentFlow.revocation`."""
        return (_UNPUBLISH, _LOGIN, _FILES)


def _judge(answers: Sequence[Answer]) -> GrantProbe:
    failures = [answer for answer in answers if isinstance(answer, Failed)]
    if not failures:
        return GrantProbe(effective=True, problem=Problem("", f"every feed can be read: {len(answers)}"))
    closed = [failure for failure in failures if failure.reason in _NOT_YET]
    first = (closed or failures)[0].problem
    if not closed:
        raise Unavailable(f"the feeds cannot be read now: {first.text}", retry_after=first.retry_after)
    names = sorted(failure.query.room.name for failure in closed)
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    read = len(answers) - len(failures)
    text = (
        f"{read} of {len(answers)} feeds can be read; not yet {', '.join(names[:_FEW])}{more}: {first.text}"
    )
    return GrantProbe(effective=False, problem=Problem("", text, first.remedy))
