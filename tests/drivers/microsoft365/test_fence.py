"""Trying the fence: a canary that is refused proves it, one that is readable disproves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import Fence, FenceState, Unavailable
from placed_microsoft365.auth.token_claims import claims_of
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import ADA, ADDRESSES, DriverSetup

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock

GRACE, NOBODY = "grace@contoso.example", "nobody@contoso.example"


async def tried(driver_setup: DriverSetup, *canaries: str, **more: object) -> FenceState:
    fence = await driver_setup.open(fence={"canaries": canaries, **more}).try_fence()
    return fence.state


@pytest.fixture(autouse=True)
def _people(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.add_person("grace")


@pytest.fixture
def fenced(driver_setup: DriverSetup) -> DriverSetup:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    return driver_setup


async def test_without_a_canary_nothing_is_proven(driver_setup: DriverSetup) -> None:
    assert await driver_setup.open().try_fence() == Fence(FenceState.UNPROVEN)
    assert driver_setup.asked("/users/") == []


async def test_an_access_policy_holds(driver_setup: DriverSetup, clock: Clock) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    fence = await driver_setup.open(fence={"canaries": [ADA, GRACE], "enforce": False}).try_fence()
    assert fence == Fence(FenceState.VERIFIED, clock(), enforce=False)


async def test_rbac_holds(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    driver_setup.tenant.assign_rbac(driver_setup.app, "placed-rooms")
    assert await tried(driver_setup, ADA, kind="rbac") is FenceState.VERIFIED


async def test_without_a_fence_it_is_breached(driver_setup: DriverSetup, clock: Clock) -> None:
    fence = await driver_setup.open(fence={"canaries": [ADA]}).try_fence()
    assert fence.remedy
    assert fence == Fence(FenceState.BREACHED, clock(), enforce=True, remedy=fence.remedy)


async def test_one_readable_canary_is_enough(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    driver_setup.tenant.add_member("placed-rooms", GRACE)
    assert await tried(driver_setup, ADA, GRACE) is FenceState.BREACHED


async def test_a_canary_that_does_not_exist_proves_nothing(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    assert await tried(driver_setup, NOBODY) is FenceState.UNPROVEN
    assert await tried(driver_setup, ADA, NOBODY) is FenceState.UNPROVEN


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_another_refusal_proves_nothing(driver_setup: DriverSetup, status: int) -> None:
    driver_setup.tenant.faults.status(status, room=ADA)
    assert await tried(driver_setup, ADA) is FenceState.UNPROVEN


@pytest.mark.parametrize(
    ("status", "code", "output"),
    [
        (403, "accessDenied", "403 accessDenied"),
        (403, "ExtensionError", "403 ExtensionError"),
        (403, "insufficient_claims", "403 insufficient_claims"),
        (403, "Authorization_RequestDenied", "403 Authorization_RequestDenied"),
        (403, "", "not Microsoft Graph"),
        (404, "ErrorInvalidUser", "does not exist"),
        (404, "ErrorItemNotFound", "does not exist"),
        (404, "MailboxNotEnabledForRESTAPI", "does not exist"),
        (404, "ErrorAccessDenied", "does not exist"),
    ],
)
async def test_only_the_code_of_a_refused_mailbox_is_a_proof(
    fenced: DriverSetup, status: int, code: str, output: str
) -> None:
    fenced.tenant.faults.status(status, code=code, room=ADA)
    fence = await fenced.open(fence={"canaries": [GRACE, ADA]}).try_fence()
    (warning,) = fence.warnings
    assert (fence.state, fence.awaits_rooms) == (FenceState.UNPROVEN, False)
    assert output in warning.line
    assert warning.remedy
    assert "ada" not in warning.line


async def test_the_letters_of_the_code_may_be_small(fenced: DriverSetup) -> None:
    fenced.tenant.faults.status(403, code="errorAccessDenied", room=ADA)
    assert await tried(fenced, ADA) is FenceState.VERIFIED


async def test_a_proxy_s_403_is_no_proof(fenced: DriverSetup) -> None:
    for where, room in ((Where.CALENDAR, ADA), (Where.GRAPH, None)):
        wrong = fenced.tenant.faults.html(status=403, room=room, where=where)
        fence = await fenced.open(fence={"canaries": [ADA]}).try_fence()
        fenced.tenant.faults.remove(wrong)
        assert fence.state is FenceState.UNPROVEN
        assert "proxy" in fence.warnings[0].line


async def test_where_every_room_is_refused_too_nothing_is_proven(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    driver = driver_setup.open(fence={"canaries": [ADA]})
    fence = await driver.try_fence()
    assert (fence.state, fence.awaits_rooms) == (FenceState.UNPROVEN, True)
    assert "so is every room" in fence.warnings[0].line


@pytest.mark.parametrize("listed", ["rooms", "room_group"])
async def test_one_readable_room_is_enough_however_the_rooms_are_listed(
    driver_setup: DriverSetup, listed: str
) -> None:
    group = driver_setup.tenant.add_group("fence", members=["library"])
    driver_setup.tenant.restrict(driver_setup.app, group)
    rooms: dict[str, Any] = {}
    if listed == "room_group":
        rooms = {"rooms": None, "room_group": "placed-rooms@contoso.example"}
    assert (
        await driver_setup.open(fence={"canaries": [ADA]}, **rooms).try_fence()
    ).state is FenceState.VERIFIED


async def test_without_the_permission_to_list_the_rooms_nothing_is_proven(fenced: DriverSetup) -> None:
    fenced.tenant.revoke(fenced.app, "GroupMember.Read.All")
    driver = fenced.open(fence={"canaries": [ADA]}, rooms=None, room_group="placed-rooms@contoso.example")
    assert (await driver.try_fence()).awaits_rooms


@pytest.mark.parametrize("status", [429, 503])
async def test_rooms_that_are_unreadable_now_prove_nothing(fenced: DriverSetup, status: int) -> None:
    for room in ADDRESSES:
        fenced.tenant.faults.status(status, room=room)
    with pytest.raises(Unavailable):
        await tried(fenced, ADA)


async def test_a_grant_that_comes_into_effect_during_the_trial_is_no_proof(driver_setup: DriverSetup) -> None:
    """The canary is refused for want of consent, and a moment later the room is readable."""
    driver_setup.tenant.faults.forbidden(room=ADA, times=1)
    assert await tried(driver_setup, ADA) is FenceState.BREACHED


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_answer_that_is_none_is_no_proof(driver_setup: DriverSetup, status: int) -> None:
    driver_setup.tenant.faults.status(status, room=ADA)
    with pytest.raises(Unavailable):
        await tried(driver_setup, ADA)


async def test_a_gateway_s_page_is_no_breach(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.html(status=200, where=Where.GRAPH)
    with pytest.raises(Unavailable, match="no calendar"):
        await tried(driver_setup, ADA)


@pytest.mark.parametrize("detail", ["missing_start", "missing_end", "missing_id"])
async def test_a_canary_whose_events_are_malformed_is_readable_all_the_same(
    driver_setup: DriverSetup, detail: str
) -> None:
    driver_setup.tenant.faults.bad_event(detail, room=ADA)
    assert await tried(driver_setup, ADA) is FenceState.BREACHED


async def test_a_breach_counts_whatever_comes_of_the_others(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(503, room=ADA)
    assert await tried(driver_setup, ADA, GRACE) is FenceState.BREACHED


async def test_a_breach_that_is_closed_is_verified(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(fence={"canaries": [ADA]})
    assert (await driver.try_fence()).state is FenceState.BREACHED
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    assert (await driver.try_fence()).state is FenceState.VERIFIED


# --- what the token holds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "role",
    [
        "Calendars.ReadWrite",
        "Mail.Read",
        "Mail.ReadBasic.All",
        "Mail.Send",
        "MailboxSettings.ReadWrite",
        "Place.ReadWrite.All",
        "full_access_as_app",
        "Directory.Read.All",
        "Calendars.ReadBasic.All",
    ],
)
async def test_a_permission_that_was_not_requested_is_reported_as_excess(
    fenced: DriverSetup, role: str
) -> None:
    fenced.tenant.grant(fenced.app, role)
    fence = await fenced.open(fence={"canaries": [ADA]}).try_fence()
    # This one reads calendars, and no access policy limits it: so the canary is readable, too.
    grave = FenceState.BREACHED if role == "Calendars.ReadBasic.All" else FenceState.EXCESS
    assert (fence.state, fence.excess) == (grave, (role,))
    assert fence.checked_at is not None


async def test_excess_is_found_without_a_canary_too(fenced: DriverSetup) -> None:
    fenced.tenant.grant(fenced.app, "Mail.Read", "Mail.Send")
    fence = await fenced.open().try_fence()
    assert fence == Fence(FenceState.EXCESS, None, excess=("Mail.Read", "Mail.Send"))


async def test_a_permission_used_by_any_configuration_is_not_excess(fenced: DriverSetup) -> None:
    fenced.tenant.grant(fenced.app, "GroupMember.ReadBasic.All", "Member.Read.Hidden", "User.ReadBasic.All")
    assert await tried(fenced, ADA) is FenceState.VERIFIED


async def test_under_rbac_a_grant_in_entra_is_warned_of(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.assign_rbac(driver_setup.app, "placed-rooms")
    driver = driver_setup.open(fence={"kind": "rbac", "canaries": [ADA]})
    fence = await driver.try_fence()
    assert fence.state is FenceState.BREACHED
    (warning,) = fence.warnings
    assert "Calendars.Read, a grant in Entra that cancels the scope" in warning.text
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")  # on the way from the policy to RBAC
    fence = await driver_setup.open(fence={"kind": "rbac", "canaries": [ADA]}).try_fence()
    assert (fence.state, fence.warnings) == (FenceState.VERIFIED, (warning,))
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    driver_setup.tenant.expire_tokens(driver_setup.app)
    fence = await driver_setup.open(fence={"kind": "rbac", "canaries": [ADA]}).try_fence()
    assert (fence.state, fence.warnings) == (FenceState.VERIFIED, ())


async def test_a_canary_that_is_no_mailbox_is_reported_without_its_address(fenced: DriverSetup) -> None:
    fence = await fenced.open(fence={"canaries": [ADA, NOBODY]}).try_fence()
    (warning,) = fence.warnings
    assert "fence.canaries" in warning.remedy
    assert "nobody" not in warning.line


async def test_an_unreadable_token_gives_no_result(fenced: DriverSetup) -> None:
    fenced.tenant.grant(fenced.app, "Mail.Read")
    driver = fenced.open(fence={"canaries": [ADA]})
    await driver.try_fence()
    driver._read_token, driver._claims = driver._tokens.latest, claims_of("opaque")
    assert (await driver.try_fence()).state is FenceState.VERIFIED
