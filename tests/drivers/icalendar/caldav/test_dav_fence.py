"""What is proven about the limit on what the account may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from placed.driver import FenceState, Refused, Unavailable
from placed_icalendar.simulator.caldav_host import DavFault, Kind, Where

if TYPE_CHECKING:
    from placed.driver import Fence
    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup


def texts(fence: Fence) -> str:
    return "; ".join(warning.line for warning in fence.warnings)


async def trial(setup: CalDavSetup, **changes: Any) -> Fence:
    """Of a connection with two canaries."""
    canaries = [setup.host.url_of_person(name) for name in ("ada", "ben")]
    return await setup.open(**{"fence": {"canaries": canaries}, **changes}).try_fence()


async def test_refused_canaries_beside_a_readable_room_are_proof(caldav_setup: CalDavSetup) -> None:
    fence = await trial(caldav_setup)
    assert (fence.state, fence.checked_at) == (FenceState.VERIFIED, caldav_setup.clock())
    assert fence.warnings == ()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_each_way_of_refusing_a_canary_is_proof(caldav_setup: CalDavSetup, status: int) -> None:
    for name in ("ada", "ben"):
        caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, status=status, room=name))
    assert (await trial(caldav_setup)).state is FenceState.VERIFIED


async def test_a_readable_canary_is_a_breach(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.share("ben")
    fence = await trial(caldav_setup)
    assert fence.state is FenceState.BREACHED
    assert fence.remedy


async def test_a_canary_that_only_answers_the_query_is_a_breach(caldav_setup: CalDavSetup) -> None:
    """The server hides the properties, and shows the events."""
    caldav_setup.host.account.share("ben")
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.HOME, status=403, room="ben"))
    assert (await trial(caldav_setup)).state is FenceState.BREACHED


async def test_refused_canaries_beside_refused_rooms_prove_nothing(caldav_setup: CalDavSetup) -> None:
    for room in ("boardroom", "library"):
        caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.CALENDAR, status=403, room=room))
    fence = await trial(caldav_setup)
    assert (fence.state, fence.awaits_rooms) == (FenceState.UNPROVEN, True)


async def test_a_canary_answered_with_a_page_proves_nothing(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.HTML, status=200, room="ben"))
    fence = await trial(caldav_setup)
    assert fence.state is FenceState.UNPROVEN
    assert "a page" in texts(fence)


async def test_a_trial_at_a_server_with_errors_is_made_later(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, status=503, room="ben"))
    with pytest.raises(Unavailable):
        await trial(caldav_setup)


async def test_a_refused_account_proves_nothing(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.locked = True
    with pytest.raises(Refused):
        await trial(caldav_setup)


async def test_without_canaries_nothing_is_proven(caldav_setup: CalDavSetup) -> None:
    fence = await caldav_setup.open().try_fence()
    assert (fence.state, fence.checked_at) == (FenceState.UNPROVEN, None)


async def test_calendars_beyond_the_configured_ones_are_excess_with_their_number(
    caldav_setup: CalDavSetup,
) -> None:
    assert (await trial(caldav_setup, calendars=["boardroom", "library"])).state is FenceState.VERIFIED
    caldav_setup.store.add_room("studio")
    caldav_setup.host.account.share("studio")
    fence = await trial(caldav_setup, calendars=["boardroom", "library"])
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("1 calendar(s) beyond the rooms",))
    assert "take back these shares" in texts(fence)


async def test_an_empty_calendar_of_the_account_itself_is_no_excess(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.own_calendar = True
    assert (await trial(caldav_setup, calendars=["boardroom"])).excess == ("1 calendar(s) beyond the rooms",)
    fence = await trial(caldav_setup, calendars=["boardroom", "library"])
    assert (fence.state, fence.excess) == (FenceState.VERIFIED, ())


async def test_calendars_of_other_principals_are_excess(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.sees_principals = True
    assert (await trial(caldav_setup)).state is FenceState.VERIFIED
    caldav_setup.store.add_person("cleo")
    caldav_setup.host.account.share("cleo")
    fence = await trial(caldav_setup)
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("1 calendar(s) beyond the rooms",))


@pytest.mark.parametrize("access", ["read", "write"])
async def test_a_delegate_can_reach_more_than_rooms(caldav_setup: CalDavSetup, access: str) -> None:
    account = caldav_setup.host.account
    people = account.reads_for if access == "read" else account.writes_for
    people.append("ada")
    fence = await trial(caldav_setup)
    assert (fence.state, fence.excess) == (FenceState.EXCESS, (f"calendar-proxy-{access}-for",))
    assert "delegate of 1 person" in texts(fence)


async def test_rights_to_change_bookings_are_excess_and_ask_for_a_new_trial(
    caldav_setup: CalDavSetup,
) -> None:
    driver = caldav_setup.open(fence={"canaries": [caldav_setup.host.url_of_person("ada")]})
    await driver.find_rooms()
    before = driver.fence_circumstances
    caldav_setup.host.account.share("library", "write")
    await driver.find_rooms()
    assert driver.fence_circumstances != before
    fence = await driver.try_fence()
    assert (fence.state, fence.excess) == (FenceState.EXCESS, ("may change bookings",))
    assert "bookings of 1 room" in texts(fence)


def test_a_canary_at_another_host_would_get_the_password_and_is_no_setting(
    caldav_setup: CalDavSetup,
) -> None:
    with pytest.raises(ValidationError, match="at the host of url"):
        caldav_setup.settings(fence={"canaries": ["https://other.example/ada/calendar/"]})
