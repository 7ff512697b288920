"""The fence is tried again when circumstances change, and before a room is published that became readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Status
from placed.driver import FenceState
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import ADA, BOARDROOM, LIBRARY, DriverSetup
from tests.drivers.microsoft365.poller_with_simulator import INTERVAL, Polled
from tests.support.domain_builders import Recorder

if TYPE_CHECKING:
    from placed_microsoft365 import Microsoft365


class Watched(Polled):
    """A connection that is polled, with what listeners of the board hear."""

    def __init__(self, driver_setup: DriverSetup, driver: Microsoft365) -> None:
        super().__init__(driver_setup, driver)
        self.heard = Recorder()
        self.board.listeners.append(self.heard)

    def fence(self) -> FenceState:
        return self.poller.health.fence.state

    @property
    def ever_known(self) -> bool:
        """Whether any room was ever published as something else than unknown."""
        return any(s.occupancy.status is not Status.UNKNOWN for s in self.heard.statements)


def watched(driver_setup: DriverSetup, **more: object) -> Watched:
    return Watched(driver_setup, driver_setup.open(fence={"canaries": [ADA], **more}))


async def test_consent_that_opens_all_mailboxes_is_a_breach_before_a_room_is_published(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    polled = watched(driver_setup)
    await polled.go_on(minutes=30)
    assert polled.fence() is FenceState.UNPROVEN
    assert "so is every room" in polled.poller.health.fence.warnings[0].text
    driver_setup.tenant.grant(driver_setup.app, "Calendars.Read")
    await polled.go_on(minutes=12)  # a new token, then the rooms in their turn
    assert polled.state() is ConnectionState.BREACHED
    assert not polled.ever_known


@pytest.mark.parametrize("minutes", [0, 1, 7])
async def test_a_refusal_of_everything_that_ends_by_itself_is_a_breach_at_the_first_room(
    driver_setup: DriverSetup, minutes: int
) -> None:
    """No token changes: the service alone does."""
    wrong = [driver_setup.tenant.faults.forbidden(room=room) for room in (BOARDROOM, LIBRARY, ADA)]
    polled = watched(driver_setup)
    await polled.poller.step()
    await polled.go_on(minutes=minutes)
    assert polled.fence() is FenceState.UNPROVEN
    for one in wrong:
        driver_setup.tenant.faults.remove(one)
    await polled.go_on(minutes=5.5)
    assert polled.state() is ConnectionState.BREACHED
    assert not polled.ever_known


async def test_where_the_fence_holds_the_same_ends_with_rooms_that_are_read(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    wrong = [driver_setup.tenant.faults.forbidden(room=room) for room in (BOARDROOM, LIBRARY)]
    polled = watched(driver_setup)
    await polled.go_on(minutes=3)
    for one in wrong:
        driver_setup.tenant.faults.remove(one)
    await polled.go_on(minutes=6)
    assert polled.fence() is FenceState.VERIFIED
    assert {s.occupancy.status for s in polled.board.statements} == {Status.FREE}


async def test_a_room_that_becomes_readable_has_the_fence_tried_again(driver_setup: DriverSetup) -> None:
    """The policy was lifted: the room outside of it becomes readable, and so does the canary."""
    driver_setup.tenant.restrict(
        driver_setup.app, driver_setup.tenant.add_group("fence", members=["library"])
    )
    polled = watched(driver_setup)
    await polled.go_on(minutes=1)
    assert polled.fence() is FenceState.VERIFIED
    driver_setup.tenant.lift_restrictions(driver_setup.app)
    await polled.go_on(minutes=5.5)  # the room that is refused is asked for once in five minutes at most
    assert polled.state() is ConnectionState.BREACHED


async def test_another_token_has_the_fence_tried_again(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    polled = watched(driver_setup)
    await polled.go_on(minutes=1)
    driver_setup.tenant.lift_restrictions(driver_setup.app)
    driver_setup.tenant.expire_tokens(driver_setup.app)
    await polled.go_on(minutes=2 * INTERVAL / 60)
    assert polled.state() is ConnectionState.BREACHED


async def test_rights_that_are_taken_away_end_the_proof(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    polled = watched(driver_setup)
    await polled.go_on(minutes=1)
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    await polled.go_on(minutes=2)
    assert polled.fence() is FenceState.UNPROVEN


async def test_a_proxy_in_between_is_unproven_until_it_is_gone(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    wrong = driver_setup.tenant.faults.html(status=403, room=ADA, where=Where.CALENDAR)
    polled = watched(driver_setup)
    with capture_logs() as logs:
        await polled.go_on(minutes=20)
    assert polled.fence() is FenceState.UNPROVEN
    assert {s.occupancy.status for s in polled.board.statements} == {Status.FREE}
    (output,) = [
        entry for entry in logs if entry["event"] == "fence.is_unproven"
    ]  # once, not with each trial
    assert "proxy" in output["remedy"]
    driver_setup.tenant.faults.remove(wrong)
    await polled.go_on(minutes=6)
    assert polled.fence() is FenceState.VERIFIED


async def test_where_nothing_changes_it_is_tried_once_an_hour(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    polled = watched(driver_setup)
    await polled.go_on(minutes=30)
    assert len(driver_setup.asked(f"/users/{ADA}")) == 2  # before and after the room at the start
