"""Checks, by the feeds' texts, how old their news is, how far they go, and what they show of meetings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, Verdict
from placed.driver.network.service_clock import ServiceClock
from placed.driver.network.tls_and_proxy import tls_context
from placed.driver.shared_findings import AGAIN
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.feeds.feed_client import FeedClient
from placed_icalendar.feeds.feed_freshness import freshness_of
from placed_icalendar.occurrences.contents import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from placed.driver import Surroundings
    from placed.driver.network.http_session import HttpResponse
    from placed_icalendar.feeds.feed import Feed
    from placed_icalendar.feeds.feed_freshness import Freshness
    from placed_icalendar.feeds.feed_settings import ICalendarSettings
    from placed_icalendar.occurrences.contents import Contents

HABITS = ("titles", "private", "freshness", "events")
_AROUND = timedelta(days=30)
_MOST_FEEDS = 20
_OK = 200
_FEW = 3  # rooms that are named
_BUSY_BEFORE = 5  # meetings of the last 30 days, after which none to come is remarkable
_STALE_CACHE = 300  # seconds
_COMPARE = (
    "compare the feed with the calendar itself: publishers may serve a copy of hours ago; book the room for "
    "a test, and see after how many minutes the board shows it"
)
_EMPTY = (
    "look whether the publisher still publishes this calendar, and whether the room is really never booked"
)
_FAR = "publish the calendar further ahead; Exchange: Set-MailboxCalendarFolder -PublishDateRangeTo ThreeDays"
_DETAILS = 'publish with details (Exchange: -DetailLevel LimitedDetails), or set privacy.show = "nothing"'


@dataclass(slots=True)
class FeedSample:
    """Counts over the feeds that were looked at."""

    now: datetime
    feeds: int = 0
    meetings: int = 0
    private: int = 0
    untitled: int = 0
    with_events: int = 0
    empty: list[str] = field(default_factory=list)  # rooms
    nothing_ahead: list[str] = field(default_factory=list)
    old: list[tuple[str, timedelta]] = field(default_factory=list)
    cached: list[tuple[str, int]] = field(default_factory=list)
    newest: datetime | None = None

    def add(self, room: str, contents: Contents, fresh: Freshness, cached: int) -> None:
        """Adds a feed; `cached` are the seconds for which a cache kept the answer."""
        self.feeds += 1
        self.meetings += len(contents.meetings)
        self.private += sum(meeting.private for meeting in contents.meetings)
        self.untitled += sum(not m.title and not m.private for m in contents.meetings)
        if contents.events:
            self.with_events += 1
        else:
            self.empty.append(room)
        before = sum(meeting.start <= self.now for meeting in contents.meetings)
        if before >= _BUSY_BEFORE and before == len(contents.meetings):
            self.nothing_ahead.append(room)
        if (
            fresh.suspicious_after is not None
            and fresh.newest is not None
            and self.now > fresh.suspicious_after
        ):
            self.old.append((room, self.now - fresh.newest))
        if cached > _STALE_CACHE:
            self.cached.append((room, cached))
        if fresh.newest is not None:
            self.newest = max(self.newest or fresh.newest, fresh.newest)


async def look_at_feeds(
    feeds: Sequence[Feed], settings: ICalendarSettings, surroundings: Surroundings
) -> list[Finding]:
    """Returns the findings `titles`, `private`, `freshness` and `events`, from a sample of the rooms."""
    from placed_icalendar.occurrences.calendar_reader import CalendarReader  # noqa: PLC0415 - needs the extra

    client = FeedClient(
        tls_context(settings.ca_file), ServiceClock.of(surroundings), surroundings.version, timekeeper=""
    )
    reader, seen = CalendarReader(), FeedSample(surroundings.now())
    step = max(1, len(feeds) // _MOST_FEEDS)
    window = Window(seen.now - _AROUND, seen.now + _AROUND, settings.time_zone, None, surroundings.details)
    try:
        for feed in feeds[::step][:_MOST_FEEDS]:  # one at a time, as hosts want it
            try:
                answer = await client.get(feed.url, feed.login)
                contents = await reader.read([answer.body], window) if answer.status == _OK else None
            except (DriverError, Malformed):  # the other rooms suffice
                continue
            if contents is not None:
                seen.add(feed.room, contents, freshness_of(answer.body), _age(answer))
    finally:
        await client.close()
        await reader.close()
    if not seen.feeds:
        return [Finding.of(check, Verdict.DOUBTFUL, "no feed could be read", AGAIN) for check in HABITS]
    return [_titles(seen, details=surroundings.details), _private(seen), *_freshness(seen), *_events(seen)]


def _age(answer: HttpResponse) -> int:
    """The seconds for which a cache kept the answer (RFC 9111, 5.1)."""
    text = answer.headers.get("Age", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - seconds


def _titles(seen: FeedSample, *, details: bool) -> Finding:
    if not details:
        return Finding.of("titles", Verdict.GOOD, "not asked for: privacy.show hides them")
    public = seen.meetings - seen.private
    if seen.meetings and not (public - seen.untitled):
        text = f"none of {seen.meetings} meetings shows one: the calendars are published without details"
        return Finding.of("titles", Verdict.DOUBTFUL, text, _DETAILS)
    return Finding.of(
        "titles", Verdict.GOOD, f"{seen.untitled} of {public} meetings that are not private have none"
    )


def _private(seen: FeedSample) -> Finding:
    text = f"{seen.private} of {seen.meetings} meetings are private; only their times are shown"
    return Finding.of("private", Verdict.GOOD, text)


def _freshness(seen: FeedSample) -> list[Finding]:
    """A feed whose news is older than its habit, or that comes out of a cache."""
    found = []
    if seen.old:
        days = max(age for _, age in seen.old).days
        rooms = _rooms([room for room, _ in seen.old])
        text = f"{rooms}: nothing changed for {days} days, before that nearly daily"
        found.append(Finding.of("freshness", Verdict.DOUBTFUL, text, _COMPARE))
    if seen.cached:
        oldest = max(age for _, age in seen.cached)
        text = f"{_rooms([room for room, _ in seen.cached])}: out of a cache, up to {oldest} s old"
        found.append(Finding.of("freshness", Verdict.DOUBTFUL, text, _COMPARE))
    if found:
        return found
    if seen.newest is None:
        text = "the feeds do not show when a meeting was changed; a test booking shows the publisher's delay"
        return [Finding.of("freshness", Verdict.GOOD, text)]
    age = _length(seen.now - seen.newest)
    text = f"the newest change is {age} old; a test booking shows the publisher's delay"
    return [Finding.of("freshness", Verdict.GOOD, text)]


def _events(seen: FeedSample) -> list[Finding]:
    found = []
    if seen.empty and seen.with_events:
        text = f"{_rooms(seen.empty)}: not a single event, unlike {_count(seen.with_events, 'other feed')}"
        found.append(Finding.of("events", Verdict.DOUBTFUL, text, _EMPTY))
    if seen.nothing_ahead:
        text = f"{_rooms(seen.nothing_ahead)}: meetings in the last 30 days, and none to come"
        found.append(Finding.of("events", Verdict.DOUBTFUL, text, _FAR))
    if found:
        return found
    text = f"{seen.meetings} meetings from 30 days ago until in 30 days, in {_count(seen.feeds)}"
    return [Finding.of("events", Verdict.GOOD, text)]


def _rooms(names: Sequence[str]) -> str:
    ids = sorted(name.partition("@")[0] for name in names)
    more = f" and {len(ids) - _FEW} more" if len(ids) > _FEW else ""
    return f"{', '.join(ids[:_FEW])}{more}"


def _count(number: int, what: str = "feed") -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _length(length: timedelta) -> str:
    minutes = max(0, round(length.total_seconds() / 60))
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"  # noqa: PLR2004 - two days
