"""The poller: the fence, consent, and errors that a person has to fix."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from placed.domain.connection_health import ConnectionState
from placed.domain.consent_record import ConsentMemory, ConsentRecord, Source
from placed.domain.model import Reason, Status
from placed.driver import Consent, DriverError, Fence, FenceState, NotPermitted, Refused, Unavailable
from tests.support.domain_builders import at
from tests.unit.polling.poller_setup import PollerSetup


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


# --- what a person has to fix -------------------------------------------------------------------------------


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
