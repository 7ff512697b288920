"""The feed of one room: asks for it, understands the answer, and recognises what has not changed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import DriverError, Read, Unchanged
from placed.driver.unchanged_answer import digest_of, question_of
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.feeds import answer_errors
from placed_icalendar.feeds.answer_errors import RoomTrouble
from placed_icalendar.feeds.download import Download
from placed_icalendar.feeds.last_reading import WHOLE_EVERY, LastReading, Validators
from placed_icalendar.feeds.publication_window import published_until
from placed_icalendar.occurrences.contents import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.driver import Answer, Query
    from placed.driver.network.http_session import HttpResponse
    from placed_icalendar.feeds.feed import Feed
    from placed_icalendar.feeds.feed_client import FeedClient
    from placed_icalendar.feeds.host_turns import HostTurns
    from placed_icalendar.feeds.refused_logins import RefusedLogins
    from placed_icalendar.occurrences.calendar_reader import CalendarReader
    from placed_icalendar.occurrences.contents import Contents

_OLD = 120.0  # seconds after which an answer that came late is of no interest
_BEGIN = b"BEGIN:VCALENDAR"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_ALWAYS_HAD = 3  # readings in a row with events, after which none is remarkable
# Reasons that pass by themselves; of these a pause that is asked for counts for the whole host.
_RESTS = frozenset({Reason.THROTTLED, Reason.UNAVAILABLE})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What all feeds of a connection are read with.

    Attributes:
        details: whether titles and organizers are wanted.
        bookings: whether it is wanted when a meeting was booked.
        default_zone: IANA name of the zone that rooms have if nobody has set one; None if it was set.
    """

    client: FeedClient
    turns: HostTurns
    logins: RefusedLogins
    reader: CalendarReader
    now: Callable[[], datetime]
    steady: Callable[[], float]
    details: bool
    bookings: bool
    default_zone: str | None = None


class RoomFeed:
    """The feed of a room.

    Args:
        feed: where it is.
        means: what it is read with.

    Attributes:
        reason: why it could not be read last; None if it could, or was not asked yet.
        zone: IANA name of the time zone that the calendar states as its own, if it has stated one.
    """

    def __init__(self, feed: Feed, means: Means) -> None:
        self.feed = feed
        self.reason: Reason | None = None
        self.zone: str | None = None
        self._means = means
        self._last: LastReading | None = None
        self._download: Download | None = None
        self._late = False  # its last answer did not come in time
        self._readable = False  # when it was asked last
        self._trouble: RoomTrouble | None = None  # why it is not asked before `_again_at`
        self._again_at = 0.0  # on the steady clock
        self._with_events = 0  # readings in a row

    @property
    def was_read(self) -> bool:
        """Whether it could be read when it was asked last."""
        return self._readable

    def forget(self) -> None:
        """What was read is not known any more."""
        self._last = None

    async def close(self) -> None:
        """Ends a request that is under way."""
        download, self._download = self._download, None
        if download is not None:
            await download.cancel()

    async def read(self, query: Query) -> Answer:
        """Reads the room's calendar; it does not wait for a host that is stuck, or a feed that was late."""
        trouble = self._resting()
        if trouble is not None:
            return self._failed(query, trouble)
        if self._late:
            return await self._read_late(query)
        if self._download is None:
            self._begin(query)
        return await self._await(query)

    async def _await(self, query: Query) -> Answer:
        download = self._download
        if download is None:
            raise AssertionError("a request has begun")
        try:
            came = await download.wait(patient=self.reason is None and not self._readable)
        except asyncio.CancelledError:
            self._download = None
            download.abort()
            raise
        if not came:
            self._late = True
            return self._failed(query, answer_errors.not_in_time(self.feed.url.host))
        self._download = None
        answer = await self._understood(download, query)
        if answer is None:  # it was asked whether it has changed, and what it was is not known any more
            self._begin(query, whole=True)
            return await self._await(query)
        return answer

    async def _read_late(self, query: Query) -> Answer:
        """Takes the answer that was waited for in vain last time, if it has come, and asks again."""
        download, answer = self._download, None
        if download is not None and download.done:
            self._download = None
            self._late = download.overtaken
            age = None if download.asked_at is None else self._means.now() - download.asked_at
            if age is not None and age.total_seconds() <= _OLD:
                answer = await self._understood(download, query)
        if self._download is None and self._resting() is None:
            self._begin(query, whole=answer is None)
        return answer or self._failed(query, answer_errors.not_in_time(self.feed.url.host))

    # --- asking ---

    def _begin(self, query: Query, *, whole: bool = False) -> None:
        last = self._last
        fits = last is not None and last.fits(query) and self._means.steady() - last.whole_at < WHOLE_EVERY
        since = last if fits and not whole else None
        means = self._means
        self._download = Download(
            self.feed,
            since,
            means.client,
            means.turns,
            now=means.now,
            hindrance=self._resting,
            heard=self._heard,
        )

    def _resting(self) -> RoomTrouble | None:
        """Why the feed is not asked now."""
        host = self.feed.url.host
        if (rest := self._means.turns.rest_of(host)) > 0:
            return answer_errors.left_alone(host, rest)
        rest = self._again_at - self._means.steady()
        if rest > 0 and self._trouble is not None:
            return self._trouble
        if self._means.logins.rest_of(self.feed, readable=self._readable) > 0:
            return answer_errors.of_status(HTTPStatus.UNAUTHORIZED, {}, self._means.now(), login=True)
        return None

    # --- understanding ---

    async def _understood(self, download: Download, query: Query) -> Answer | None:
        """The answer; None if the host reports no change of something that is not known any more."""
        found = download.result()
        if isinstance(found, RoomTrouble):
            return self._failed(query, found)
        if download.asked_at is None:
            raise AssertionError("a request that was answered was sent")
        if isinstance(found, DriverError):
            return self._failed(query, answer_errors.of_error(found))
        if found.status == HTTPStatus.NOT_MODIFIED:
            last = self._last
            if download.since is not None and download.since is last and last.fits(query):
                self._succeeded()
                return Unchanged(query, download.asked_at)
            if download.since is not None:
                return None
        if found.status != HTTPStatus.OK:
            return self._failed(query, self._status(found))
        return await self._calendar(found, query, download.asked_at)

    def _status(self, found: HttpResponse) -> RoomTrouble:
        login = self.feed.login is not None
        return answer_errors.of_status(found.status, found.headers, self._means.now(), login=login)

    def _heard(self, found: HttpResponse) -> None:
        """Notes how long feed, login and host are to be left alone, before the next request to the host."""
        trouble = self._status(found)
        rest = trouble.problem.retry_after
        if rest is not None and trouble.reason in _RESTS and "Retry-After" in found.headers:
            self._means.turns.rest(self.feed.url.host, rest)
        if rest is not None and trouble.reason is Reason.REFUSED:
            self._means.logins.was_refused(self.feed, readable=self._readable)
            self._trouble, self._again_at = trouble, self._means.steady() + rest

    async def _calendar(self, found: HttpResponse, query: Query, asked_at: datetime) -> Answer:
        body, room, last = found.body, query.room, self._last
        fits = last if last is not None and last.fits(query) else None
        digest = digest_of(body)
        if fits is not None and fits.body == digest:
            self._note(query, fits.digest, digest, found)
            return Unchanged(query, asked_at)
        if is_web_page(found):
            return self._failed(query, answer_errors.web_page())
        until = published_until(body, room.time_zone)
        if until is not None and until < query.until:
            return self._failed(query, answer_errors.publishes_too_little(until))
        means = self._means
        address = self.feed.room if "@" in self.feed.room else None
        window = Window(
            query.since,
            query.until,
            room.time_zone,
            address,
            means.details,
            bookings=means.bookings,
            zone_is_default=not room.zone_is_set and room.time_zone.key == means.default_zone,
        )
        try:
            contents = await means.reader.read([body], window, known=None if fits is None else fits.digest)
        except Malformed as error:
            return self._failed(query, answer_errors.of_text(error))
        if contents is None:
            if fits is None:
                raise AssertionError("only what is known can be the same")
            self._note(query, fits.digest, digest, found)
            return Unchanged(query, asked_at)
        self._note(query, contents.digest, digest, found)
        self.zone = contents.zone
        self._look_for_events(contents, room.id)
        return Read(query, asked_at, contents.meetings)

    def _note(self, query: Query, digest: bytes, body: bytes, found: HttpResponse) -> None:
        self._last = LastReading(
            question_of(query),
            digest,
            body,
            Validators.of(found.headers),
            self._means.steady(),
        )
        self._succeeded()

    def _look_for_events(self, contents: Contents, room_id: str) -> None:
        """Logs that a calendar that always had events has none, which may be true."""
        if contents.events:
            self._with_events += 1
            return
        if self._with_events >= _ALWAYS_HAD:
            log.warning(
                "the feed of room %s has no event any more, though it always had some: look whether the "
                "publisher still publishes this calendar",
                room_id,
            )
        self._with_events = 0

    def _succeeded(self) -> None:
        self.reason, self._readable, self._trouble = None, True, None
        self._means.logins.was_accepted(self.feed)

    def _failed(self, query: Query, trouble: RoomTrouble) -> Answer:
        self.reason, self._readable = trouble.reason, self._readable and trouble.reason in _RESTS
        self._last = None
        return trouble.failed(query)


def is_calendar(body: bytes) -> bool:
    """Whether a body begins as a calendar does; blanks and a byte order mark before it do not matter."""
    return body[:4096].lstrip(_BLANK)[: len(_BEGIN)].upper() == _BEGIN


def is_web_page(found: HttpResponse) -> bool:
    """Whether the answer is a page, such as a form for a sign-in, and no calendar."""
    if is_calendar(found.body):
        return False
    page = found.body[:4096].lstrip(_BLANK).startswith(b"<")
    return page or "html" in found.headers.get("Content-Type", "").lower()
