"""The fence of the registration that writes: the same canaries, its own token, and its own permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import BookingWriter, FenceState
from placed_microsoft365.simulator.tenant.app_access import READ, READ_WRITE
from tests.drivers.microsoft365.booking.test_write_answers import BOOK
from tests.drivers.microsoft365.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.microsoft365.driver_setup import ADA, BOARDROOM, at

if TYPE_CHECKING:
    from typing import Any

    from placed_microsoft365.simulator.tenant.app_access import CalendarsRole


def opened(writer_setup: WriterSetup, **fence: Any) -> BookingWriter:
    return writer_setup.open(fence={"canaries": [ADA], **fence})


async def test_it_is_verified_with_the_token_that_writes(writer_setup: WriterSetup) -> None:
    fence = await opened(writer_setup).try_fence([ROOM])
    assert (fence.state, fence.excess, fence.warnings) == (FenceState.VERIFIED, (), ())


async def test_a_room_that_was_looked_at_is_proof_enough(writer_setup: WriterSetup) -> None:
    writer = opened(writer_setup)
    assert (await writer.try_fence()).awaits_rooms
    await writer.look(ROOM, at(0), at(24))
    assert (await writer.try_fence()).state is FenceState.VERIFIED


async def test_it_is_breached_though_the_readers_holds(writer_setup: WriterSetup) -> None:
    setup, tenant = writer_setup.driver_setup, writer_setup.tenant
    tenant.restrict(setup.app, "placed-rooms")
    tenant.lift_restrictions(writer_setup.app)
    assert (await opened(writer_setup).try_fence([ROOM])).state is FenceState.BREACHED
    assert (await setup.open(fence={"canaries": [ADA]}).try_fence()).state is FenceState.VERIFIED


async def test_writing_is_meant_on_its_registration_and_excess_on_the_readers(
    writer_setup: WriterSetup,
) -> None:
    setup = writer_setup.driver_setup
    writer_setup.tenant.restrict(setup.app, "placed-rooms")
    writer_setup.tenant.grant(setup.app, "Calendars.ReadWrite")
    writer_setup.tenant.grant(writer_setup.app, "Mail.Read", "Place.Read.All")
    assert (await opened(writer_setup).try_fence([ROOM])).excess == ("Mail.Read", "Place.Read.All")
    reader = await setup.open(fence={"canaries": [ADA]}).try_fence()
    assert (reader.state, reader.excess) == (FenceState.EXCESS, ("Calendars.ReadWrite",))


async def test_rbac_holds_without_a_grant_in_entra(writer_setup: WriterSetup) -> None:
    tenant, app = writer_setup.tenant, writer_setup.app
    tenant.revoke(app, "Calendars.ReadWrite")
    tenant.lift_restrictions(app)
    tenant.assign_rbac(app, "placed-rooms", role=READ_WRITE)
    writer = opened(writer_setup, kind="rbac")
    fence = await writer.try_fence([ROOM])
    assert (fence.state, fence.warnings) == (FenceState.VERIFIED, ())
    assert outcome(await writer.write(BOOK)) == "written"


async def test_a_grant_in_entra_beside_rbac_is_named(writer_setup: WriterSetup) -> None:
    tenant, app = writer_setup.tenant, writer_setup.app
    tenant.assign_rbac(app, "placed-rooms", role=READ_WRITE)
    (warning,) = (await opened(writer_setup, kind="rbac").try_fence([ROOM])).warnings
    assert "Calendars.ReadWrite" in warning.text


@pytest.mark.parametrize("role", [READ, None])
async def test_a_registration_that_may_only_read_is_forbidden_to_write(
    writer_setup: WriterSetup, role: CalendarsRole | None
) -> None:
    tenant, app = writer_setup.tenant, writer_setup.app
    tenant.revoke(app, "Calendars.ReadWrite")
    if role is None:
        tenant.grant(app, "Calendars.Read")
    else:
        tenant.assign_rbac(app, "placed-rooms", role=role)
    writer = opened(writer_setup)
    await writer.look(ROOM, at(0), at(24))
    assert outcome(await writer.write(BOOK)) == "forbidden"
    assert writer_setup.meetings() == []


async def test_a_room_outside_of_the_fence_cannot_be_written(writer_setup: WriterSetup) -> None:
    writer_setup.tenant.remove_member("placed-rooms", BOARDROOM)
    assert outcome(await opened(writer_setup).write(BOOK)) == "forbidden"
    assert writer_setup.meetings() == []


async def test_a_missing_grant_takes_effect_without_a_restart(writer_setup: WriterSetup) -> None:
    tenant, app = writer_setup.tenant, writer_setup.app
    tenant.revoke(app, "Calendars.ReadWrite")
    writer = opened(writer_setup)
    assert outcome(await writer.write(BOOK)) == "forbidden"
    tenant.grant(app, "Calendars.ReadWrite")
    writer_setup.driver_setup.clock.advance(minutes=6)
    assert outcome(await writer.write(BOOK)) == "written"
