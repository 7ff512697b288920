"""What is not documented, and only a tenant shows: the driver is right with either answer.

The switches are those of `TenantAnswers`; what concerns writes is tried in `booking/test_writer.py`.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from placed.driver import DriverError, FenceState, NotPermitted
from placed_google.simulator import CalendarKind, Role, TenantAnswers
from tests.drivers.google.driver_setup import ADA, BEN, BOARDROOM, LIBRARY, at, words

if TYPE_CHECKING:
    from placed.domain.model import Meeting
    from tests.drivers.google.driver_setup import DriverSetup

EXIST = {"canaries": (ADA, BEN), "canaries_exist": True}
PRIMARY, SECONDARY = CalendarKind.PRIMARY, CalendarKind.SECONDARY
Kind = Literal["primary", "secondary"]

either = pytest.mark.parametrize("answer", [True, False])


async def only_meeting(setup: DriverSetup) -> Meeting:
    (meeting,) = await setup.meetings(setup.open())
    assert (meeting.start, meeting.end, meeting.declined) == (at(8), at(9), False)
    return meeting


@pytest.mark.parametrize("kind", ["primary", "secondary"])
@pytest.mark.parametrize("limited", [PRIMARY, SECONDARY])
async def test_a_which_limit_of_external_sharing_holds_for_rooms(
    driver_setup: DriverSetup, kind: Kind, limited: CalendarKind
) -> None:
    driver_setup.workspace.answers.rooms_follow_limit_of = kind
    driver_setup.workspace.limit_external_sharing(Role.FREE_BUSY_READER, limited)
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    meeting = await only_meeting(driver_setup)
    hidden = limited.value == kind
    assert (meeting.title, meeting.private) == ((None, True) if hidden else ("Budget", False))


@either
async def test_b_whether_a_group_passes_the_limit(driver_setup: DriverSetup, *, answer: bool) -> None:
    workspace, group = driver_setup.workspace, "placed-rooms@fabrikam.example"
    workspace.answers.group_members_pass_the_limit = answer
    workspace.limit_external_sharing(Role.FREE_BUSY_READER)
    workspace.add_group("placed-rooms", members=[driver_setup.account.email])
    workspace.unshare(BOARDROOM, driver_setup.account)
    workspace.share(BOARDROOM, group, Role.READER, scope="group")
    workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    meeting = await only_meeting(driver_setup)
    assert (meeting.title, meeting.private) == (("Budget", False) if answer else (None, True))


@either
async def test_c_whether_the_one_attendee_is_the_room(driver_setup: DriverSetup, *, answer: bool) -> None:
    driver_setup.workspace.answers.max_attendees_keeps_the_room = answer
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), response="declined")
    driver_setup.workspace.book(BOARDROOM, at(10), at(11), response="needsAction")
    found = await driver_setup.meetings(driver_setup.open())
    assert [(meeting.declined, meeting.show_as.value) for meeting in found] == [
        (True, "busy"),
        (False, "tentative"),
    ]


@either
async def test_d_whether_the_role_comes_with_a_mask(driver_setup: DriverSetup, *, answer: bool) -> None:
    driver_setup.workspace.answers.access_role_is_masked = answer
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    assert (await only_meeting(driver_setup)).title == "Budget"
    driver = driver_setup.open(fence=EXIST)
    assert (await driver.try_fence()).state is FenceState.VERIFIED
    # What of a person can be read is not known without the role: that is a breach, to be safe.
    driver_setup.workspace.share(ADA, driver_setup.account, Role.FREE_BUSY_READER)
    state = (await driver.try_fence()).state
    assert state is (FenceState.BREACHED if answer else FenceState.EXCESS)


@either
async def test_e_what_the_scope_of_free_busy_strips_is_not_read_with_it(
    driver_setup: DriverSetup, *, answer: bool
) -> None:
    driver_setup.workspace.answers.free_busy_scope_strips = answer
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    driver = driver_setup.open(requests_per_minute=10)  # so few that free/busy is asked for first
    for _ in range(3):
        (meeting,) = await driver_setup.meetings(driver)
        assert (meeting.title, meeting.private) == ("Budget", False)
        driver._forget()


@either
async def test_f_whether_a_canary_shows_an_outsider_its_internal_free_busy(
    driver_setup: DriverSetup, *, answer: bool
) -> None:
    driver_setup.workspace.answers.outsiders_see_internal_free_busy = answer
    driver_setup.workspace.share(ADA, "fabrikam.example", Role.FREE_BUSY_READER, scope="domain")
    fence = await driver_setup.open(fence=EXIST).try_fence()
    assert fence.state is (FenceState.EXCESS if answer else FenceState.VERIFIED)
    assert bool(fence.warnings) == answer


@either
async def test_g_whether_content_ids_come_back_with_a_prefix(
    driver_setup: DriverSetup, *, answer: bool
) -> None:
    driver_setup.workspace.answers.content_ids_get_a_prefix = answer
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    assert words(await driver_setup.read(driver_setup.open())) == ["read", "read"]
    await only_meeting(driver_setup)


@either
async def test_h_whether_a_role_may_name_the_customer(driver_setup: DriverSetup, *, answer: bool) -> None:
    driver_setup.workspace.answers.customer_id_works_for_roles = answer
    driver_setup.account.reads_directory = True
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id)
    if answer:
        assert {room.mailbox for room in await driver.find_rooms()} == {BOARDROOM, LIBRARY}
        return
    with pytest.raises(NotPermitted) as caught:
        await driver.find_rooms()
    assert "list the calendars in rooms" in caught.value.problem.remedy


@pytest.mark.parametrize(("answer", "rounds"), [(True, 1), (False, 3)])
async def test_i_whether_the_limit_of_a_day_counts_parts(
    driver_setup: DriverSetup, *, answer: bool, rounds: int
) -> None:
    driver_setup.workspace.answers.daily_limit_counts_parts = answer
    driver_setup.workspace.limits.per_project_day = 3
    driver = driver_setup.open()
    for _ in range(rounds):
        assert set(words(await driver_setup.read(driver))) <= {"read", "unchanged"}
    with pytest.raises(DriverError, match="dailyLimitExceeded") as caught:
        await driver_setup.read(driver)
    assert caught.value.problem.retry_after is not None
    assert caught.value.problem.retry_after > 60


@either
async def test_whether_readers_see_private_details_they_count_as_private(
    driver_setup: DriverSetup, *, answer: bool
) -> None:
    driver_setup.workspace.answers.readers_see_private_details = answer
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Salary", visibility="private")
    assert (await only_meeting(driver_setup)).private


def test_every_answer_is_taken_both_ways() -> None:
    tried = Path(__file__).read_text("utf-8")
    elsewhere = {"copies_have_times_of_their_own", "visible_after"}  # booking/test_writer.py
    assert {field.name for field in fields(TenantAnswers)} - elsewhere == {
        field.name for field in fields(TenantAnswers) if f"answers.{field.name}" in tried
    }
