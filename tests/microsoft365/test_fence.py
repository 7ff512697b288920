"""Trying the fence: a canary that is refused proves it, one that is readable disproves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import Fence, FenceState, Unavailable
from placed_microsoft365.simulator import Where
from tests.microsoft365.house import ADA, House

if TYPE_CHECKING:
    from tests.simulator.conftest import Clock

GRACE, NOBODY = "grace@contoso.example", "nobody@contoso.example"


async def tried(house: House, *canaries: str, **more: object) -> FenceState:
    fence = await house.open(fence={"canaries": canaries, **more}).try_fence()
    return fence.state


@pytest.fixture(autouse=True)
def _people(house: House) -> None:
    house.tenant.add_person("grace")


async def test_without_a_canary_nothing_is_proven(house: House) -> None:
    assert await house.open().try_fence() == Fence(FenceState.UNPROVEN)
    assert house.simulator.requests == []


async def test_an_access_policy_holds(house: House, clock: Clock) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    fence = await house.open(fence={"canaries": [ADA, GRACE], "enforce": False}).try_fence()
    assert fence == Fence(FenceState.VERIFIED, clock(), enforce=False)


async def test_rbac_holds(house: House) -> None:
    house.tenant.revoke(house.app, "Calendars.Read")
    house.tenant.assign_rbac(house.app, "placed-rooms")
    assert await tried(house, ADA, kind="rbac") is FenceState.VERIFIED


async def test_without_a_fence_it_is_breached(house: House, clock: Clock) -> None:
    fence = await house.open(fence={"canaries": [ADA]}).try_fence()
    assert fence == Fence(FenceState.BREACHED, clock(), enforce=True)


async def test_one_readable_canary_is_enough(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    house.tenant.add_member("placed-rooms", GRACE)
    assert await tried(house, ADA, GRACE) is FenceState.BREACHED


async def test_a_canary_that_does_not_exist_proves_nothing(house: House) -> None:
    house.tenant.restrict(house.app, "placed-rooms")
    assert await tried(house, NOBODY) is FenceState.UNPROVEN
    assert await tried(house, ADA, NOBODY) is FenceState.UNPROVEN


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_another_refusal_proves_nothing(house: House, status: int) -> None:
    house.tenant.faults.status(status, room=ADA)
    assert await tried(house, ADA) is FenceState.UNPROVEN


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_that_is_none_is_no_proof(house: House, status: int) -> None:
    house.tenant.faults.status(status, room=ADA)
    with pytest.raises(Unavailable):
        await tried(house, ADA)


async def test_a_gateway_s_page_is_no_breach(house: House) -> None:
    house.tenant.faults.html(status=200, where=Where.GRAPH)
    with pytest.raises(Unavailable, match="no calendar"):
        await tried(house, ADA)


async def test_a_breach_counts_whatever_comes_of_the_others(house: House) -> None:
    house.tenant.faults.status(503, room=ADA)
    assert await tried(house, ADA, GRACE) is FenceState.BREACHED


async def test_a_breach_that_is_closed_is_verified(house: House) -> None:
    driver = house.open(fence={"canaries": [ADA]})
    assert (await driver.try_fence()).state is FenceState.BREACHED
    house.tenant.restrict(house.app, "placed-rooms")
    assert (await driver.try_fence()).state is FenceState.VERIFIED
