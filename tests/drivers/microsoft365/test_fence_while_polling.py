"""The fence is tried again when circumstances change, and before a room is published that became readable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Status
from placed.driver import FenceState
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_with_simulator import ADA, BOARDROOM, LIBRARY, House
from tests.drivers.microsoft365.poller_with_simulator import INTERVAL, Polled
from tests.support.domain_builders import Recorder

if TYPE_CHECKING:
    from placed_microsoft365 import Microsoft365


class Watched(Polled):
    """A connection that is polled, with what listeners of the board hear."""

    def __init__(self, house: House, driver: Microsoft365) -> None:
        super().__init__(house, driver)
        self.heard = Recorder()
        self.board.listeners.append(self.heard)

    def fence(self) -> FenceState:
        return self.poller.health.fence.state

    @property
    def ever_known(self) -> bool:
        """Whether any room was ever published as something else than unknown."""
        return any(s.occupancy.status is not Status.UNKNOWN for s in self.heard.statements)


def watched(house: House, **more: object) -> Watched:
    return Watched(house, house.open(fence={"canaries": [ADA], **more}))


async def test_consent_that_opens_all_mailboxes_is_a_breach_before_a_room_is_published(house: House) -> None:
    house.tenant.revoke(house.app, "Calendars.Read")
    polled = watched(house)
    await polled.go_on(minutes=30)
    assert polled.fence() is FenceState.UNPROVEN
    assert "so is every room" in polled.poller.health.fence.warnings[0].text
    house.tenant.grant(house.app, "Calendars.Read")
    await polled.go_on(minutes=12)  # a new token, then the rooms in their turn
    assert polled.state() is ConnectionState.BREACHED
    assert not polled.ever_known


@pytest.mark.parametrize("minutes", [0, 1, 7])
async def test_a_refusal_of_everything_that_ends_by_itself_is_a_breach_at_the_first_room(
    house: House, minutes: int
) -> None:
    """No token changes: the service alone does."""
    wrong = [house.tenant.faults.forbidden(room=room) for room in (BOARDROOM, LIBRARY, ADA)]
    polled = watched(house)
    await polled.poller.step()
    await polled.go_on(minutes=minutes)
    assert polled.fence() is FenceState.UNPROVEN
    for one in wrong:
        house.tenant.faults.remove(one)
    await polled.go_on(minutes=5.5)
    assert polled.state() is ConnectionState.BREACHED
    assert not polled.ever_known


async def test_where_the_fence_holds_the_same_ends_with_rooms_that_are_read(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    wrong = [house.tenant.faults.forbidden(room=room) for room in (BOARDROOM, LIBRARY)]
    polled = watched(house)
    await polled.go_on(minutes=3)
    for one in wrong:
        house.tenant.faults.remove(one)
    await polled.go_on(minutes=6)
    assert polled.fence() is FenceState.VERIFIED
    assert {s.occupancy.status for s in polled.board.statements} == {Status.FREE}


async def test_a_room_that_becomes_readable_has_the_fence_tried_again(house: House) -> None:
    """The policy was lifted: the room outside of it becomes readable, and so does the canary."""
    house.tenant.restrict(house.app, house.tenant.add_group("fence", members=["library"]))
    polled = watched(house)
    await polled.go_on(minutes=1)
    assert polled.fence() is FenceState.VERIFIED
    house.tenant.lift_restrictions(house.app)
    await polled.go_on(minutes=5.5)  # the room that is refused is asked for once in five minutes at most
    assert polled.state() is ConnectionState.BREACHED


async def test_another_token_has_the_fence_tried_again(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    polled = watched(house)
    await polled.go_on(minutes=1)
    house.tenant.lift_restrictions(house.app)
    house.tenant.expire_tokens(house.app)
    await polled.go_on(minutes=2 * INTERVAL / 60)
    assert polled.state() is ConnectionState.BREACHED


async def test_rights_that_are_taken_away_end_the_proof(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    polled = watched(house)
    await polled.go_on(minutes=1)
    house.tenant.revoke(house.app, "Calendars.Read")
    await polled.go_on(minutes=2)
    assert polled.fence() is FenceState.UNPROVEN


async def test_a_proxy_in_between_is_unproven_until_it_is_gone(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    wrong = house.tenant.faults.html(status=403, room=ADA, where=Where.CALENDAR)
    polled = watched(house)
    with capture_logs() as logs:
        await polled.go_on(minutes=20)
    assert polled.fence() is FenceState.UNPROVEN
    assert {s.occupancy.status for s in polled.board.statements} == {Status.FREE}
    (said,) = [entry for entry in logs if entry["event"] == "fence.is_unproven"]  # once, not with each trial
    assert "proxy" in said["remedy"]
    house.tenant.faults.remove(wrong)
    await polled.go_on(minutes=6)
    assert polled.fence() is FenceState.VERIFIED


async def test_where_nothing_changes_it_is_tried_once_an_hour(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    polled = watched(house)
    await polled.go_on(minutes=30)
    assert len(house.asked(f"/users/{ADA}")) == 2  # before and after the room at the start
