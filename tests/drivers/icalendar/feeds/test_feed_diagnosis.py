"""The doctor's checks of feeds: files and hosts first, then how old the news of the calendars is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import Finding, FoundRoom, OffersConsent, OffersDiagnosis, Unavailable, Verdict
from placed_icalendar import ICalendar
from placed_icalendar.feeds.feed_freshness import freshness_of
from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup

DAY = timedelta(days=1)


async def examine(feed_setup: FeedSetup, **changes: Any) -> list[Finding]:
    examination = ICalendar.diagnosis(feed_setup.settings(**changes), feed_setup.surroundings())
    found = [finding async for finding in examination.examine()]
    secrets = [room.secret for room in feed_setup.publisher.rooms()]
    shown = "\n".join(f"{finding.text} {finding.remedy}" for finding in found)
    assert not any(secret in shown for secret in secrets)
    return found


async def habits(feed_setup: FeedSetup, **changes: Any) -> dict[str, list[Finding]]:
    examination = ICalendar.diagnosis(feed_setup.settings(**changes), feed_setup.surroundings())
    rooms = [FoundRoom(room.address, room.address) for room in feed_setup.publisher.rooms()]
    found: dict[str, list[Finding]] = {}
    for finding in await examination.look_at_habits(rooms):
        found.setdefault(finding.check, []).append(finding)
    return found


def verdicts(findings: Sequence[Finding]) -> list[tuple[str, Verdict]]:
    return [(finding.check, finding.verdict) for finding in findings]


def test_the_driver_offers_a_diagnosis_and_a_consent_flow() -> None:
    assert isinstance(ICalendar, OffersDiagnosis)
    assert isinstance(ICalendar, OffersConsent)


async def test_without_errors_every_check_passes(feed_setup: FeedSetup) -> None:
    found = await examine(feed_setup)
    assert [finding.check for finding in found] == ["files", "dns", "tls", "clock"]
    by_check = {finding.check: finding for finding in found}
    assert by_check["dns"].verdict is by_check["tls"].verdict is Verdict.GOOD
    assert "2 of 2 links are in the settings" in by_check["files"].text
    assert all(record.path == "/" for record in feed_setup.host.requests)  # no link is used for that


async def test_a_link_s_file_that_others_can_read_is_reported(feed_setup: FeedSetup) -> None:
    path = feed_setup.secret_file("link", feed_setup.host.link_of(BOARDROOM))
    path.chmod(0o644)
    found = await examine(feed_setup, feeds={BOARDROOM: {"url_file": path}})
    assert (found[0].check, found[0].verdict) == ("files", Verdict.BAD)
    assert f"chmod 600 {path}" in found[0].remedy
    assert verdicts(found[1:])[0] == ("dns", Verdict.BAD)


async def test_one_host_of_two_that_is_not_there_leaves_the_others_readable(feed_setup: FeedSetup) -> None:
    feeds = {BOARDROOM: feed_setup.host.link_of(BOARDROOM), "annex": "https://no-such-host.invalid/x.ics"}
    found = {finding.check: finding for finding in await examine(feed_setup, feeds=feeds)}
    assert found["dns"].verdict is Verdict.DOUBTFUL
    assert "no-such-host.invalid" in found["dns"].text
    found = {f.check: f for f in await examine(feed_setup, feeds={"annex": "https://no-such-host.invalid/x"})}
    assert found["dns"].verdict is Verdict.BAD
    assert found["tls"].blocked_by == "dns"


async def test_what_calendars_show_is_counted(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.book(BOARDROOM, at(9), at(10), summary="Review")
    feed_setup.publisher.book(BOARDROOM, at(11), at(12), private=True)
    found = await habits(feed_setup)
    assert found["titles"][0].text == "0 of 1 meetings that are not private have none"
    assert found["private"][0].text == "1 of 2 meetings are private; only their times are shown"


async def test_an_empty_calendar_among_others_is_doubtful(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.book(BOARDROOM, at(9), at(10))
    (finding,) = (await habits(feed_setup))["events"]
    assert finding.verdict is Verdict.DOUBTFUL
    assert finding.text == "library: not a single event, unlike 1 other feed"
    feed_setup.publisher.book(LIBRARY, at(9), at(10))
    assert (await habits(feed_setup))["events"][0].verdict is Verdict.GOOD


async def test_a_busy_room_without_meetings_to_come_is_doubtful(feed_setup: FeedSetup) -> None:
    for days in range(1, 7):
        for room in (BOARDROOM, LIBRARY):
            feed_setup.publisher.book(room, at(9) - days * DAY, at(10) - days * DAY)
    feed_setup.publisher.book(LIBRARY, at(9), at(10))
    (finding,) = (await habits(feed_setup))["events"]
    assert finding.text == "boardroom: meetings in the last 30 days, and none to come"
    assert "-PublishDateRangeTo" in finding.remedy


async def test_news_that_is_older_than_its_habit_is_doubtful(feed_setup: FeedSetup) -> None:
    now = feed_setup.clock.moment
    for days in range(12):
        feed_setup.clock.moment = now - (16 - days) * DAY
        feed_setup.publisher.book(BOARDROOM, at(9), at(10))
    feed_setup.clock.moment = now
    (finding,) = (await habits(feed_setup))["freshness"]
    assert finding.verdict is Verdict.DOUBTFUL
    assert finding.text == "boardroom: nothing changed for 5 days, before that nearly daily"
    assert "book the room for a test" in finding.remedy
    feed_setup.publisher.book(BOARDROOM, at(11), at(12))
    (finding,) = (await habits(feed_setup))["freshness"]
    assert finding.verdict is Verdict.GOOD


async def test_an_answer_out_of_a_cache_is_doubtful(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.faults.add(
        Fault(kind=Kind.DATE, room=LIBRARY, detail="Wed, 02 Dec 2026 07:00:00 GMT", age="1800")
    )
    (finding,) = (await habits(feed_setup))["freshness"]
    assert finding.text == "library: out of a cache, up to 1800 s old"


# --- how old the news is ---


def text(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def test_stamps_of_one_minute_are_when_the_text_was_made_and_no_news() -> None:
    stamps = ["DTSTAMP:20261202T073000Z", "DTSTAMP:20261202T073001Z"]
    found = freshness_of(text(*stamps))
    assert (found.newest, found.daily) == (None, False)
    assert found.stamped == datetime(2026, 12, 2, 7, 30, 1, tzinfo=UTC)
    found = freshness_of(text(*stamps, "LAST-MODIFIED:20261120T120000Z"))
    assert found.newest == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_calendar_that_seldom_changes_is_never_suspicious() -> None:
    seldom = text(*(f"LAST-MODIFIED:202611{day:02}T120000Z" for day in (1, 11, 21)))
    assert freshness_of(seldom).suspicious_after is None
    daily = text(*(f"CREATED;X=1:202611{day:02}T120000Z" for day in range(10, 22)))
    assert freshness_of(daily).suspicious_after == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert freshness_of(text("CREATED:20261399T120000Z", "CREATED:yesterday")).newest is None


# --- opening and closing ---


async def test_waiting_ends_when_every_feed_can_be_read(feed_setup: FeedSetup) -> None:
    flow = ICalendar.consent(feed_setup.settings(), feed_setup.surroundings())
    assert flow.permissions == ()
    assert "everybody who has the link of a feed can read its calendar" in flow.granted_elsewhere
    assert any("-PublishEnabled $false" in step for step in flow.revocation())
    assert (await flow.probe()).effective
    fault = feed_setup.publisher.faults.add(Fault(kind=Kind.STATUS, status=404, room=LIBRARY))
    probe = await flow.probe()
    assert not probe.effective
    assert probe.problem.text == "1 of 2 feeds can be read; not yet library: 404, there is no such feed"
    feed_setup.publisher.faults.remove(fault)
    feed_setup.publisher.faults.add(Fault(kind=Kind.STATUS, status=404))
    assert not (await flow.probe()).problem.lasting
    feed_setup.publisher.faults.clear()
    feed_setup.publisher.faults.add(Fault(kind=Kind.DROP))
    with pytest.raises(Unavailable):
        await flow.probe()
