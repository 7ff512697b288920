"""What is proven about the limit on what the service account may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from placed.driver import FenceState, Unavailable
from placed.driver.network.http_session import HttpResponse
from placed_google.auth.impersonation_trial import can_impersonate
from placed_google.auth.scopes import EVENTS
from placed_google.simulator import Role
from tests.drivers.google.driver_setup import ADA, BEN, BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from placed.driver import Fence
    from placed_google.auth.key_sign_in import KeySignIn
    from tests.drivers.google.driver_setup import DriverSetup

EXIST = {"canaries": (ADA, BEN), "canaries_exist": True}


def texts(fence: Fence) -> str:
    return "; ".join(warning.line for warning in fence.warnings)


async def test_refused_canaries_that_exist_and_no_impersonation_are_proof(driver_setup: DriverSetup) -> None:
    fence = await driver_setup.open(fence=EXIST).try_fence()
    assert (fence.state, fence.checked_at) == (FenceState.VERIFIED, driver_setup.clock())
    assert fence.warnings == ()


async def test_a_canary_that_may_not_exist_proves_nothing(driver_setup: DriverSetup) -> None:
    fence = await driver_setup.open(fence={"canaries": ("nobody@fabrikam.example",)}).try_fence()
    assert fence.state is FenceState.UNPROVEN
    assert "canaries_exist" in texts(fence)


async def test_a_readable_canary_is_a_breach(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.share(ADA, driver_setup.account, Role.READER)
    fence = await driver_setup.open(fence=EXIST).try_fence()
    assert fence.state is FenceState.BREACHED
    assert fence.remedy


async def test_free_busy_of_a_canary_is_excess(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.share(ADA, driver_setup.account, Role.FREE_BUSY_READER)
    fence = await driver_setup.open(fence=EXIST).try_fence()
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("free/busy of people",))


async def test_delegation_that_nobody_asked_for_is_excess(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.delegate(driver_setup.account, EVENTS)
    fence = await driver_setup.open(fence=EXIST).try_fence()
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("domain-wide delegation",))
    assert "cannot be fenced" in texts(fence)


async def test_a_subject_cannot_be_fenced(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.delegate(driver_setup.account, EVENTS)
    fence = await driver_setup.open(subject=BEN, fence=EXIST).try_fence()
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("domain-wide delegation",))
    assert "cannot be fenced: the key can act as any user" in texts(fence)


async def test_a_role_that_may_change_bookings_is_excess(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(fence=EXIST)
    await driver_setup.read(driver)
    before = driver.fence_circumstances
    driver_setup.workspace.share(BOARDROOM, driver_setup.account, Role.WRITER)
    await driver_setup.read(driver)
    assert driver.fence_circumstances != before
    fence = await driver.try_fence()
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("role writer on rooms' calendars",))
    assert "may change bookings of 1 room" in texts(fence)
    assert "See all event details" in texts(fence)


async def test_refused_canaries_beside_refused_rooms_prove_nothing(driver_setup: DriverSetup) -> None:
    for room in (BOARDROOM, LIBRARY):
        driver_setup.workspace.unshare(room, driver_setup.account)
    fence = await driver_setup.open(fence=EXIST).try_fence()
    assert (fence.state, fence.awaits_rooms) == (FenceState.UNPROVEN, True)


async def test_impersonation_is_tried_once_a_day_and_with_the_scope_in_use(
    driver_setup: DriverSetup,
) -> None:
    driver = driver_setup.open(fence=EXIST)
    await driver.try_fence()
    tokens = len(driver_setup.asked("/token"))
    driver_setup.clock.advance(minutes=30)
    await driver.try_fence()
    assert len(driver_setup.asked("/token")) == tokens == 2
    driver_setup.workspace.delegate(driver_setup.account, EVENTS)
    driver_setup.clock.advance(hours=24)
    assert (await driver.try_fence()).state is FenceState.EXCESS


async def test_the_requests_of_a_fence_trial_count_in_the_budget(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(fence=EXIST)
    await driver.try_fence()
    first = driver.budget.left
    await driver.try_fence()
    assert driver.budget.most - first == 5  # two rooms, two canaries, one scope
    assert first - driver.budget.left == 4  # impersonation is tried once a day


async def test_a_fence_trial_waits_until_the_budget_allows_it(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(fence=EXIST, requests_per_minute=10)
    slept: list[float] = []
    moment = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal moment
        slept.append(seconds)
        moment += seconds

    driver.budget._time, driver.budget._sleep = lambda: moment, sleep
    await driver.budget.take(10)
    moment += 20
    await driver.try_fence()
    assert slept == [40]


async def test_without_canaries_nothing_is_counted(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver.try_fence()
    assert driver.budget.left == driver.budget.most


async def test_without_canaries_nothing_is_proven(driver_setup: DriverSetup) -> None:
    fence = await driver_setup.open().try_fence()
    assert (fence.state, fence.checked_at) == (FenceState.UNPROVEN, None)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b""])
async def test_a_page_in_place_of_a_token_is_no_impersonation(body: bytes) -> None:
    """Of a captive portal, for example: the trial is repeated, and no delegation is reported."""

    class Portal:
        async def ask(self, _scope: str, *, subject: str | None) -> HttpResponse:
            assert subject == ADA
            return HttpResponse(200, {}, body, None)

    with pytest.raises(Unavailable):
        await can_impersonate(cast("KeySignIn", Portal()), ADA, ["a-scope"])
