"""The poller: what is asked when, and what becomes of failures. The driver is a script, time is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from placed.board.board import Board
from placed.domain.connection_health import ConnectionState
from placed.domain.consent_record import ConsentMemory, ConsentRecord, Source
from placed.domain.model import Reason, Status
from placed.domain.privacy import Show
from placed.domain.problem import Problem
from placed.driver import (
    Answer,
    ConnectionSettings,
    Consent,
    DriverError,
    Failed,
    Fence,
    FenceState,
    FoundRoom,
    NotPermitted,
    Query,
    Read,
    Refused,
    Unavailable,
    Unchanged,
)
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.room_tables import Polling
from placed.store.in_memory_connection_store import ConnectionMemory
from tests.support.deadlines import DEADLINE
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at, meeting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.domain.model import Meeting


class ScriptedDriver:
    """Answers every question well, but for rooms and moments that the test spoils."""

    def __init__(self, clock: FakeClock, rooms: Sequence[str]) -> None:
        self.clock = clock
        self.rooms = list(rooms)
        self.failing: dict[str, tuple[Reason, float | None]] = {}
        self.broken: DriverError | None = None
        self.undiscoverable: DriverError | None = None
        self.fence: Fence | DriverError = Fence(FenceState.VERIFIED)
        self.fences_tried = 0
        self.discoveries = 0
        self.domain = "contoso.example"
        self.rounds: list[tuple[float, list[str]]] = []
        self.unchanged = False
        self.meetings: tuple[Meeting, ...] = (meeting("12:00", "13:00"),)
        self.credential_expires_at = None

    async def find_rooms(self) -> list[FoundRoom]:
        self.discoveries += 1
        if self.undiscoverable:
            raise self.undiscoverable
        return [FoundRoom(f"{name}@{self.domain}", f"{name}@{self.domain}") for name in self.rooms]

    async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        self.rounds.append((self.clock.steady(), [q.room.id for q in queries]))
        if self.broken:
            raise self.broken
        for query in queries:
            if query.room.id in self.failing:
                reason, retry_after = self.failing[query.room.id]
                yield Failed(query, reason, Problem("", f"because {reason}", retry_after=retry_after))
            elif self.unchanged:
                yield Unchanged(query, self.clock.now())
            else:
                yield Read(query, self.clock.now(), self.meetings)

    async def try_fence(self) -> Fence:
        self.fences_tried += 1
        if isinstance(self.fence, DriverError):
            raise self.fence
        return self.fence

    async def close(self) -> None:
        """Nothing to close."""


class PollerSetup:
    """A poller with everything around it."""

    def __init__(
        self,
        *rooms: str,
        consent: ConsentMemory | None = None,
        polling: Polling | None = None,
        zone: ZoneInfo | None = None,
        kind: type[ScriptedDriver] = ScriptedDriver,
    ) -> None:
        self.clock = FakeClock(at("9:00"))
        self.driver = kind(self.clock, rooms)
        self.board = Board(POLICY, Show.NOTHING, self.clock.now, epoch=1)
        self.recorder = Recorder()
        self.board.listeners.append(self.recorder)
        self.poller = Poller(
            connection=ConnectionSettings(name="contoso", driver="script", time_zone=zone or ZoneInfo("UTC")),
            driver=self.driver,
            board=self.board,
            book=RoomIds({}),
            polling=polling or Polling(interval=timedelta(seconds=30)),
            clock=self.clock,
            notes=ConnectionMemory(consent),
            jitter=lambda: 0.0,
        )

    async def steps(self, seconds: float) -> None:
        """Lets the poller do what it does, for so long."""
        end = self.clock.steady() + seconds
        while self.clock.steady() < end:
            pause = await self.poller.step()
            self.clock.pass_(pause)
            self.board.judge_due()

    def asked(self) -> list[tuple[int, str]]:
        """When what was asked for: seconds since the start, and rooms."""
        return [(round(when - 1000), " ".join(rooms)) for when, rooms in self.driver.rounds]

    def status(self, room: str) -> tuple[Status, Reason | None]:
        statement = self.board.statement(room)
        assert statement
        return statement.occupancy.status, statement.occupancy.reason


async def test_every_room_is_read_once_an_interval() -> None:
    poller_setup = PollerSetup("one", "two")
    await poller_setup.steps(90)
    assert poller_setup.asked() == [(0, "one two"), (30, "one two"), (60, "one two")]
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.poller.health.state is ConnectionState.OK
    assert poller_setup.poller.health.consent is Consent.GRANTED


async def test_an_unchanged_answer_keeps_a_room_fresh() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.unchanged = True
    await poller_setup.steps(3600)
    statement = poller_setup.board.statement("one")
    assert statement
    assert not statement.occupancy.stale
    assert statement.occupancy.next


async def test_a_throttled_room_is_not_read_before_its_retry_after() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing["two"] = (Reason.THROTTLED, 7.5)
    await poller_setup.steps(1)
    poller_setup.driver.failing.clear()
    await poller_setup.steps(40)
    assert poller_setup.asked() == [(0, "one two"), (8, "two"), (30, "one two")]


async def test_a_long_retry_after_is_kept_to_across_rounds() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing["two"] = (Reason.THROTTLED, 70.0)
    await poller_setup.steps(1)
    poller_setup.driver.failing.clear()
    await poller_setup.steps(70)
    assert poller_setup.asked() == [(0, "one two"), (30, "one"), (60, "one"), (70, "two"), (90, "one two")]


async def test_a_retry_after_of_nothing_is_no_invitation_to_hammer() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.failing["one"] = (Reason.THROTTLED, 0.0)
    await poller_setup.steps(60)
    assert [when for when, _ in poller_setup.asked()] == [0, 1, 3, 7, 15, 31]


async def test_a_refused_room_is_read_at_growing_intervals() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing["two"] = (Reason.FORBIDDEN, None)
    await poller_setup.steps(1800)
    with_two = [when for when, rooms in poller_setup.asked() if "two" in rooms]
    assert with_two[:5] == [0, 30, 90, 210, 450]
    assert {b - a for a, b in pairwise(with_two[4:])} == {300}
    assert len([1 for _, rooms in poller_setup.asked() if "one" in rooms]) == 60
    assert poller_setup.status("two") == (Status.UNKNOWN, Reason.FORBIDDEN)
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.poller.health.state is ConnectionState.OK
    assert list(poller_setup.poller.health.failing or {}) == ["two"]


async def test_a_failure_is_logged_when_it_begins_and_when_it_is_over() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing = {"one": (Reason.NOT_FOUND, None), "two": (Reason.NOT_FOUND, None)}
    with capture_logs() as logs:
        await poller_setup.steps(200)
        poller_setup.driver.failing.clear()
        await poller_setup.steps(300)
    events = [(entry["event"], entry.get("count")) for entry in logs]
    assert events == [
        ("rooms.were_found", 2),
        ("fence.was_verified", None),
        ("rooms.became_unreadable", 2),
        ("rooms.became_readable", 2),
        ("consent.changed", None),
    ]


async def test_one_failing_room_harms_no_other() -> None:
    poller_setup = PollerSetup("one", "two", "three", "four", "five")
    poller_setup.driver.failing = {
        "two": (Reason.FORBIDDEN, None),
        "three": (Reason.NOT_FOUND, None),
        "four": (Reason.THROTTLED, 30),
        "five": (Reason.MALFORMED, None),
    }
    await poller_setup.steps(1000)
    assert poller_setup.status("one") == (Status.FREE, None)
    for room, (reason, _) in poller_setup.driver.failing.items():
        assert poller_setup.status(room) == (Status.UNKNOWN, reason)


async def test_a_connection_that_is_down_is_tried_again_soon_and_then_less_soon() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.broken = Unavailable("Graph cannot be reached")
    with capture_logs() as logs:
        await poller_setup.steps(200)
        poller_setup.driver.broken = None
        await poller_setup.steps(100)
    whens = [when for when, _ in poller_setup.asked()]
    assert whens[:9] == [0, 30, 31, 33, 37, 45, 61, 91, 121]
    assert [entry["event"] for entry in logs] == ["connection.failed", "connection.recovered"]
    assert poller_setup.poller.health.state is ConnectionState.OK


async def test_a_connection_that_is_refused_takes_its_rooms_back_and_is_tried_every_five_minutes() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.broken = Refused("sign-in refused: AADSTS7000222", remedy="make a new secret")
    await poller_setup.steps(1000)
    assert [when for when, _ in poller_setup.asked()] == [0, 30, 330, 630, 930]
    assert poller_setup.status("one") == (Status.UNKNOWN, Reason.REFUSED)
    assert poller_setup.poller.health.state is ConnectionState.REFUSED
    assert poller_setup.poller.health.problem == poller_setup.driver.broken.problem
    assert poller_setup.driver.broken.problem.remedy == "make a new secret"
    poller_setup.driver.broken = None
    await poller_setup.steps(400)
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.poller.health.problem is None


async def test_missing_permission_is_not_hammered_either() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.undiscoverable = NotPermitted("Graph answered 403 Authorization_RequestDenied")
    await poller_setup.steps(1000)
    assert poller_setup.driver.discoveries == 6  # after 30, 60, 120, 240 and 300 seconds


async def test_rooms_come_and_go_while_running() -> None:
    poller_setup = PollerSetup("one", "two")
    await poller_setup.steps(1)
    poller_setup.driver.rooms = ["two", "three"]
    poller_setup.driver.failing = {"one": (Reason.FORBIDDEN, None)}
    await poller_setup.steps(450)
    assert [room.id for room in poller_setup.board.rooms] == ["three", "two"]
    assert poller_setup.status("three") == (Status.FREE, None)
    assert frozenset({"one"}) in poller_setup.recorder.removed


async def test_a_new_room_does_not_wait_for_the_next_round() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.rooms.append("two")
    poller_setup.poller._discovery.next = poller_setup.clock.steady() + 5
    await poller_setup.steps(10)
    assert (35, "one two") in poller_setup.asked()


async def test_another_mailbox_with_the_same_id_is_read_at_once() -> None:
    poller_setup = PollerSetup("one", "two")
    await poller_setup.steps(1)
    poller_setup.driver.rooms, poller_setup.driver.failing = ["two"], {"one": (Reason.NOT_FOUND, None)}
    await poller_setup.steps(600)
    poller_setup.driver.rooms, poller_setup.driver.domain = ["one", "two"], "new.example"
    poller_setup.driver.failing.clear()
    poller_setup.poller._discovery.next = poller_setup.clock.steady() + 5
    await poller_setup.steps(10)
    assert poller_setup.status("one") == (Status.FREE, None)


async def test_rooms_that_are_known_are_read_also_while_the_directory_is_away() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.undiscoverable = Unavailable("Graph answered 503")
    with capture_logs() as logs:
        await poller_setup.steps(1200)
    assert len(poller_setup.asked()) == 41
    assert [entry["event"] for entry in logs] == ["rooms.were_not_found"]


async def test_an_empty_group_is_no_failure() -> None:
    poller_setup = PollerSetup()
    await poller_setup.steps(700)
    assert poller_setup.poller.health.state is ConnectionState.OK
    assert poller_setup.asked() == []
    poller_setup.driver.rooms.append("one")
    await poller_setup.steps(301)
    assert poller_setup.status("one") == (Status.FREE, None)


async def test_when_every_room_is_refused_consent_is_missing() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing = {"one": (Reason.FORBIDDEN, None), "two": (Reason.FORBIDDEN, None)}
    await poller_setup.steps(10)
    assert poller_setup.poller.health.consent is Consent.MISSING
    assert poller_setup.poller.health.state is ConnectionState.FAILING


async def test_meetings_that_end_before_they_start_are_counted_and_logged_once() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.meetings = (
        meeting("12:00", "11:00"),
        meeting("13:00", "13:00"),
        meeting("14:00", "15:00"),
    )
    with capture_logs() as logs:
        await poller_setup.steps(100)
    assert poller_setup.poller.health.impossible_meetings == 2
    assert [entry["event"] for entry in logs].count("meetings.were_impossible") == 1
    poller_setup.driver.meetings = ()
    await poller_setup.steps(60)
    assert poller_setup.poller.health.impossible_meetings == 0


# --- the fence ----------------------------------------------------------------------------------------------


async def test_the_fence_is_tried_at_start_and_every_hour() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(7300)
    assert poller_setup.driver.fences_tried == 3
    assert poller_setup.poller.health.fence.state is FenceState.VERIFIED


async def test_behind_a_breached_fence_nothing_is_read_and_every_room_is_unknown() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(3590)
    poller_setup.driver.fence = Fence(FenceState.BREACHED, enforce=True)
    before = len(poller_setup.asked())
    await poller_setup.poller.run()
    assert poller_setup.driver.fences_tried == 2
    assert len(poller_setup.asked()) <= before + 1
    assert poller_setup.status("one") == (Status.UNKNOWN, Reason.BREACHED)
    assert poller_setup.poller.health.state is ConnectionState.BREACHED
    asked = len(poller_setup.asked())
    await poller_setup.poller.run()
    assert len(poller_setup.asked()) == asked


async def test_a_breach_without_enforcement_is_only_reported() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.fence = Fence(FenceState.BREACHED, enforce=False)
    await poller_setup.steps(40)
    assert poller_setup.poller.health.fence.state is FenceState.BREACHED
    assert poller_setup.status("one") == (Status.FREE, None)


async def test_a_trial_of_the_fence_that_fails_does_not_keep_rooms_from_being_read() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.fence = Unavailable("Graph answered 503")
    await poller_setup.steps(130)
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.driver.fences_tried == 3
    assert poller_setup.poller.health.fence.state is FenceState.UNPROVEN


@pytest.mark.parametrize("error", [Unavailable("down"), Refused("refused"), NotPermitted("no consent")])
async def test_the_result_of_the_first_attempt_is_always_reported(error: DriverError) -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.broken = error
    assert await poller_setup.poller.step() > 0
    assert poller_setup.poller.problem is error


# --- what a person has to mend ------------------------------------------------------------------------------


async def test_a_consent_change_is_logged_once_and_shown_with_its_time() -> None:
    poller_setup = PollerSetup("one")
    with capture_logs() as logs:
        await poller_setup.steps(40)
        poller_setup.driver.failing = {"one": (Reason.FORBIDDEN, None)}
        await poller_setup.steps(120)
        poller_setup.driver.failing = {}
        await poller_setup.steps(120)
    changes = [(e["before"], e["after"]) for e in logs if e["event"] == "consent.changed"]
    assert changes == [("unknown", "granted"), ("granted", "revoked"), ("revoked", "granted")]
    health = poller_setup.poller.health
    assert health.consent is Consent.GRANTED
    assert health.consent_since is not None
    assert health.consent_since > at("9:01")


async def test_what_was_known_of_consent_is_shown_from_the_start() -> None:
    memory = ConsentMemory()
    memory.save(ConsentRecord(Consent.REQUESTED, at("8:00"), at("12:00"), Source.REQUEST))
    poller_setup = PollerSetup("one", consent=memory)
    assert poller_setup.poller.health.consent is Consent.REQUESTED
    assert poller_setup.poller.health.consent_until == at("12:00")
    assert poller_setup.recorder.health[0].consent is Consent.REQUESTED


async def test_every_lasting_error_is_retried_after_five_minutes() -> None:
    for error in (NotPermitted("blocked", lasting=True), Unavailable("odd", lasting=True)):
        poller_setup = PollerSetup("one")
        poller_setup.driver.broken = error
        await poller_setup.steps(1000)
        assert [when for when, _ in poller_setup.asked()] == [0, 300, 600, 900]


async def test_refused_rooms_are_no_failure_while_others_are_readable() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing = {"two": (Reason.FORBIDDEN, None)}
    with capture_logs() as logs:
        await poller_setup.steps(200)
    (reported,) = [e for e in logs if e["event"] == "rooms.are_outside_the_fence"]
    assert (reported["log_level"], reported["rooms"]) == ("info", ["two"])
    assert "not in the fence's group, or not yet" in reported["remedy"]
    assert not [e for e in logs if e["event"] == "rooms.became_unreadable"]
    assert poller_setup.poller.health.state is ConnectionState.OK
    assert poller_setup.poller.health.consent is Consent.GRANTED


async def test_the_health_of_a_moment_does_not_change_with_what_is_read_later() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(40)
    before = poller_setup.poller.health
    standing = before.rooms_document(poller_setup.board.rooms)
    poller_setup.driver.broken = Unavailable("down")
    await poller_setup.steps(300)
    assert poller_setup.poller.health.rooms_document(poller_setup.board.rooms) != standing
    assert before.rooms_document(poller_setup.board.rooms) == standing


async def test_a_whole_connection_s_problem_has_the_time_at_which_it_began() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(40)
    poller_setup.driver.broken = Unavailable("down")
    await poller_setup.steps(300)
    (standing,) = poller_setup.poller.health.rooms_document(poller_setup.board.rooms)
    assert standing["access"] == "unavailable"
    assert standing["since"] is not None
    assert standing["since"] < "2026-10-06T09:02:00Z"
    poller_setup.driver.broken = None
    await poller_setup.steps(120)
    (standing,) = poller_setup.poller.health.rooms_document(poller_setup.board.rooms)
    assert standing["access"] == "readable"
    assert standing["since"] is not None
    assert standing["since"] > "2026-10-06T09:05:00Z"


async def test_with_a_budget_rooms_are_read_by_need_and_no_room_looks_stale_for_it() -> None:
    rooms = [f"room-{number}" for number in range(60)]
    poller_setup = PollerSetup(*rooms, polling=Polling(budget=40))
    await poller_setup.steps(120)
    for _ in range(56):
        await poller_setup.steps(30)
        assert all(not statement.occupancy.stale for statement in poller_setup.board.statements)
    counts = Counter(room for moment, asked in poller_setup.driver.rounds if moment > 1120 for room in asked)
    assert sum(counts.values()) <= 40 * 29
    assert min(counts.values()) >= 29 * 60 / 300
    assert poller_setup.poller.health.state is ConnectionState.OK


async def test_a_room_that_is_not_read_any_more_is_stale_after_three_times_what_was_meant() -> None:
    poller_setup = PollerSetup(
        "one", polling=Polling(budget=60, working_days=frozenset(("sun",)))
    )  # it is a Tuesday
    await poller_setup.steps(600)
    asked = [moment for moment, _ in poller_setup.driver.rounds]
    interval = asked[-1] - asked[-2]
    assert interval > 30
    poller_setup.driver.failing["one"] = (Reason.FORBIDDEN, None)
    seen = []
    while poller_setup.clock.steady() < asked[-1] + 6 * interval:
        await poller_setup.poller.step()
        poller_setup.clock.pass_(1)
        poller_setup.board.judge_due()
        statement = poller_setup.board.statement("one")
        assert statement is not None
        seen.append((poller_setup.clock.steady() - asked[-1], statement.occupancy.stale))
    turned_stale = next(passed for passed, stale in seen if stale)
    assert turned_stale == pytest.approx(3 * interval, abs=2)
    assert poller_setup.status("one") == (Status.FREE, Reason.FORBIDDEN)


async def test_after_a_connection_came_back_every_room_is_read_at_once_also_with_a_budget() -> None:
    poller_setup = PollerSetup("one", "two", polling=Polling(budget=600))
    await poller_setup.steps(60)
    poller_setup.driver.broken = Refused("the secret is wrong")
    await poller_setup.steps(600)
    assert poller_setup.status("one") == (Status.UNKNOWN, Reason.REFUSED)
    poller_setup.driver.broken = None
    await poller_setup.steps(1)
    assert (poller_setup.status("one"), poller_setup.status("two")) == (
        (Status.FREE, None),
        (Status.FREE, None),
    )


async def test_a_budget_that_is_too_small_is_reported_once_with_the_needed_one() -> None:
    poller_setup = PollerSetup(*(f"room-{number}" for number in range(100)), polling=Polling(budget=10))
    with capture_logs() as logs:
        await poller_setup.steps(1200)
    output = [entry for entry in logs if entry["event"] == "polling.budget_is_small"]
    assert [(entry["rooms"], entry["needed"]) for entry in output] == [(100, 21)]
    with capture_logs() as logs:
        await PollerSetup(*poller_setup.driver.rooms, polling=Polling(budget=21)).steps(1200)
    assert [entry for entry in logs if entry["event"] == "polling.budget_is_small"] == []


@pytest.mark.parametrize("failure", ["the connection", "a room"])
async def test_what_failed_is_tried_again_at_once_when_the_clock_was_set(
    failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is not valid yet, say, may be so by then."""
    poller_setup = PollerSetup("one")
    if failure == "a room":
        poller_setup.driver.failing["one"] = (Reason.UNAVAILABLE, None)
    else:
        poller_setup.driver.broken = Unavailable("the TLS certificate is not valid yet")
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        if seconds == 0:
            return
        await asyncio.Event().wait()

    monkeypatch.setattr(poller_setup.clock, "sleep", sleep)
    running = asyncio.create_task(poller_setup.poller.run())
    try:
        async with asyncio.timeout(DEADLINE):
            await asleep.wait()
            assert poller_setup.asked() == [(0, "one")]
            poller_setup.driver.broken = None
            poller_setup.driver.failing.clear()
            asleep.clear()
            poller_setup.poller.hurry()
            await asleep.wait()
        assert poller_setup.asked() == [(0, "one"), (0, "one")]
        assert poller_setup.status("one")[0] is Status.FREE
        asleep.clear()
        poller_setup.poller.hurry()  # all is well: nothing is asked
        await asyncio.sleep(0)
        assert poller_setup.asked() == [(0, "one"), (0, "one")]
    finally:
        running.cancel()
        await asyncio.wait([running])
