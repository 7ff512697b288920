"""A driver that believes for ever that a calendar did not change is noticed within the shortest fault."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Status
from placed.driver import Failed, Read
from placed.panel.state_validity import Place, Shown, Why
from placed_icalendar.caldav import change_tags
from placed_icalendar.feeds import room_feed
from placed_icalendar.simulator import caldav_host, feed_host
from tests.drivers.icalendar.caldav.conftest import caldav_setup as caldav_setup  # noqa: PLC0414 - a fixture
from tests.drivers.icalendar.feeds.conftest import feed_setup as feed_setup  # noqa: PLC0414 - the same
from tests.drivers.icalendar.feeds.feed_setup import Clock
from tests.fault_injection import dav_faults, feed_faults
from tests.fault_injection.calendar_service import ZONE, Booked
from tests.fault_injection.daemon_pace import Pace
from tests.fault_injection.fault_catalogue import CATALOGUE
from tests.fault_injection.ground_truth import Truth
from tests.fault_injection.oracle import Oracle
from tests.fault_injection.shortened_timeouts import LONGEST_REST
from tests.fault_injection.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.domain.model import Meeting
    from placed.driver import Driver, Query
    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup
    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup
    from tests.fault_injection.promise import Violation

ROOM = "boardroom"
_KINDS = (dav_faults, feed_faults)  # to import them is to enter their faults into the catalogue
BELIEVED = pytest.mark.parametrize(("believed", "rules"), [(LONGEST_REST, []), (math.inf, ["lie"])])


@pytest.fixture
def clock() -> Clock:
    """Of whichever service the test has."""
    return Clock()


class Panel:
    """Shows what a driver reads each second, until that expires, and is judged by the oracle of campaigns."""

    def __init__(self, clock: Clock, driver: Driver, query: Callable[[], Query]) -> None:
        self._clock, self._driver, self._query = clock, driver, query
        self._begin = self._read_at = clock()
        self._meetings: tuple[Meeting, ...] = ()
        self.violations: list[Violation] = []
        self.truth = Truth(ZoneInfo(ZONE), lead=0.0, slack=1.5)
        weather = Weather(Pace().promise.recovery)
        weather.begins("storm", gentle=True)
        self._oracle = Oracle(self.truth, weather, Pace().promise, self.violations.append)
        self.truth.tick(0.0, self._begin.timestamp())
        self.truth.note(ROOM, (), -100.0)

    async def look(self) -> None:
        """Reads, and shows whether the room is taken."""
        async for answer in self._driver.read([self._query()]):
            if isinstance(answer, Read):
                self._meetings = answer.meetings
            if not isinstance(answer, Failed):
                self._read_at = answer.asked_at
        now = self._clock()
        self.truth.tick((now - self._begin).total_seconds(), now.timestamp())
        ends = [meeting.end for meeting in self._meetings if meeting.start <= now < meeting.end]
        status = Status.BUSY if ends else Status.FREE
        expires = self._read_at + timedelta(seconds=Pace().expire_after)
        shown = Shown(ROOM, Place("Room"), status, until=max(ends, default=None), valid_until=expires)
        if now >= expires:
            shown = Shown(ROOM, Place("Room"), Status.UNKNOWN, why=Why.REPORTED)
        self._oracle.see("panel", shown, (now - self._begin).total_seconds())

    async def outlast(
        self, kind: str, begin: Callable[[], object], book: Callable[[datetime, datetime], object]
    ) -> list[str]:
        """Has a fault begin, and then a meeting booked; returns the rules broken until the fault is over."""
        await self.look()
        begin()
        await self.look()
        self.truth.postpone(ROOM, LONGEST_REST, 0.0)
        meeting = Booked(self._begin, self._begin + timedelta(hours=1), False, "accepted", "busy", False)  # noqa: FBT003
        book(meeting.start, meeting.end)
        self.truth.note(ROOM, [meeting], 0.5)
        for _ in range(int(CATALOGUE[kind].kind.shortest)):
            self._clock.moment += timedelta(seconds=1)
            await self.look()
        return [violation.rule for violation in self.violations]


@BELIEVED
async def test_a_driver_of_feeds_that_believes_304_for_ever_is_noticed(
    feed_setup: FeedSetup, monkeypatch: pytest.MonkeyPatch, believed: float, rules: list[str]
) -> None:
    monkeypatch.setattr(room_feed, "WHOLE_EVERY", believed)
    publisher = feed_setup.publisher
    panel = Panel(feed_setup.clock, feed_setup.open(), lambda: feed_setup.query(ROOM))

    fault = feed_host.Fault(kind=feed_host.Kind.STUCK, room=ROOM)
    book = partial(publisher.book, ROOM)
    assert await panel.outlast("feeds.claim_no_change", lambda: publisher.faults.add(fault), book) == rules


@BELIEVED
async def test_a_driver_of_caldav_that_believes_tags_for_ever_is_noticed(
    caldav_setup: CalDavSetup,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    believed: float,
    rules: list[str],
) -> None:
    monkeypatch.setattr(change_tags, "FULL_WITHIN", believed)
    panel = Panel(clock, caldav_setup.open(), lambda: caldav_setup.query(ROOM))

    faults, fault = (
        caldav_setup.host.faults,
        caldav_host.DavFault(kind=caldav_host.Kind.FROZEN_TAG, room=ROOM),
    )
    book = partial(caldav_setup.store.book, ROOM)
    assert await panel.outlast("dav.tags_stay", lambda: faults.add(fault), book) == rules
