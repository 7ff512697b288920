"""The poller: what is asked when, and which rooms. The driver is a script, the clock a fake."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from structlog.testing import capture_logs

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.driver import Consent, Refused, StillHolds, Unavailable, Unchanged
from placed.settings.polling_settings import Polling
from tests.support.deadlines import DEADLINE
from tests.support.domain_builders import meeting
from tests.unit.polling.poller_setup import PollerSetup


async def test_every_room_is_read_once_an_interval() -> None:
    poller_setup = PollerSetup("one", "two")
    await poller_setup.steps(90)
    assert poller_setup.asked() == [(0, "one two"), (30, "one two"), (60, "one two")]
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.poller.health.state is ConnectionState.OK
    assert poller_setup.poller.health.consent is Consent.GRANTED


async def test_other_tasks_have_their_turn_while_a_round_of_many_rooms_begins() -> None:
    poller_setup = PollerSetup(*(f"room{number}" for number in range(3000)))
    asked = 0  # since another task had its turn
    most = 0
    has_schedule = poller_setup.board.has_schedule

    def counted(room_id: str) -> bool:
        nonlocal asked, most
        asked += 1
        most = max(most, asked)
        return has_schedule(room_id)

    async def another_task() -> None:
        nonlocal asked
        while True:
            asked = 0
            await asyncio.sleep(0)

    poller_setup.board.has_schedule = counted  # type: ignore[method-assign]
    other = asyncio.create_task(another_task())
    await poller_setup.steps(1)
    other.cancel()
    await asyncio.wait([other])
    assert 0 < most <= 1000


@pytest.mark.parametrize("kept", [Unchanged, StillHolds])
async def test_an_answer_that_nothing_changed_keeps_a_room_fresh(
    kept: type[Unchanged | StillHolds],
) -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.unchanged = kept
    await poller_setup.steps(3600)
    statement = poller_setup.board.statement("one")
    assert statement
    assert not statement.occupancy.stale
    assert statement.occupancy.next


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
    """For example, a certificate that is not valid yet may be valid by then."""
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


async def test_the_list_is_asked_for_again_once_a_reading_has_shown_more_of_a_room() -> None:
    setup = PollerSetup("boardroom")
    setup.driver.room_circumstances = (None,)  # type: ignore[attr-defined]
    await setup.steps(60)
    assert setup.driver.discoveries == 1
    setup.driver.room_circumstances = ("Europe/Berlin",)  # type: ignore[attr-defined]
    setup.driver.undiscoverable = Unavailable("the list is away")
    await setup.steps(29)
    assert setup.driver.discoveries == 2


async def test_while_the_time_is_not_known_a_room_is_read_soon_and_once_it_is_all_rooms_are() -> None:
    """Two answers show the time, and what was read before may be of other days."""
    setup = PollerSetup("one", "two")
    known = False
    setup.board._judging.believable = lambda: known
    await setup.steps(9)
    assert setup.asked() == [(0, "one two"), (2, "one"), (4, "one")]
    known = True
    setup.poller.read_again()
    await setup.steps(1)
    assert setup.asked()[3:] == [(10, "one two")]
