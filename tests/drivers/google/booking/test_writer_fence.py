"""The fence of the account that writes: the same canaries, and its own token; writing rooms is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import BookingWriter, FenceState, SettingsError
from placed_google.simulator import Role
from tests.drivers.google.booking.test_write_answers import BOOK
from tests.drivers.google.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.google.driver_setup import ADA, BOARDROOM, at

if TYPE_CHECKING:
    from typing import Any

WRITE = "https://www.googleapis.com/auth/calendar.events"


def fenced() -> dict[str, Any]:
    return {"fence": {"canaries": [ADA], "canaries_exist": True}}


def opened(writer_setup: WriterSetup) -> BookingWriter:
    return writer_setup.open(**fenced())


@pytest.mark.parametrize("role", [Role.WRITER, Role.OWNER])
async def test_it_is_verified_with_the_role_that_writes(writer_setup: WriterSetup, role: Role) -> None:
    writer_setup.workspace.share_rooms(writer_setup.account, role)
    fence = await opened(writer_setup).try_fence([ROOM])
    assert (fence.state, fence.excess, fence.warnings) == (FenceState.VERIFIED, (), ())


async def test_a_room_that_was_looked_at_is_proof_enough(writer_setup: WriterSetup) -> None:
    writer = opened(writer_setup)
    assert (await writer.try_fence()).awaits_rooms
    await writer.look(ROOM, at(0), at(24))
    assert (await writer.try_fence()).state is FenceState.VERIFIED


async def test_it_is_breached_though_the_readers_holds(writer_setup: WriterSetup) -> None:
    writer_setup.workspace.share(ADA, writer_setup.account, Role.READER)
    assert (await opened(writer_setup).try_fence([ROOM])).state is FenceState.BREACHED
    reader = writer_setup.driver_setup.open(**fenced())
    assert (await reader.try_fence()).state is FenceState.VERIFIED


async def test_writing_is_excess_for_the_account_that_reads(writer_setup: WriterSetup) -> None:
    setup = writer_setup.driver_setup
    setup.workspace.share_rooms(setup.account, Role.WRITER)
    reader = setup.open(**fenced())
    await setup.read(reader)
    assert (await reader.try_fence()).excess == ("role writer on rooms' calendars",)


async def test_delegation_is_excess_and_tried_with_the_scope_in_use(writer_setup: WriterSetup) -> None:
    writer_setup.workspace.delegate(writer_setup.account, WRITE)
    assert (await opened(writer_setup).try_fence([ROOM])).excess == ("domain-wide delegation",)


async def test_an_account_that_may_only_read_is_forbidden_to_write(writer_setup: WriterSetup) -> None:
    writer_setup.workspace.share_rooms(writer_setup.account, Role.READER)
    writer = opened(writer_setup)
    await writer.look(ROOM, at(0), at(24))
    result = await writer.write(BOOK)
    assert outcome(result) == "forbidden"
    assert "Make changes to events" in str(result)
    assert writer_setup.events() == []


async def test_a_room_that_is_not_shared_cannot_be_written(writer_setup: WriterSetup) -> None:
    writer_setup.workspace.unshare(BOARDROOM, writer_setup.account)
    assert outcome(await opened(writer_setup).write(BOOK)) == "forbidden"
    assert writer_setup.events() == []


async def test_the_account_that_reads_is_refused_as_the_one_that_writes(writer_setup: WriterSetup) -> None:
    setup = writer_setup.driver_setup
    copy = setup.folder / "copy.json"
    copy.write_bytes(setup.key_file().read_bytes())
    copy.chmod(0o600)
    with pytest.raises(SettingsError, match="the account that reads") as caught:
        writer_setup.open(actions={"key_file": copy})
    assert caught.value.problem.key == "actions.key_file"


async def test_a_missing_key_file_of_actions_is_named(writer_setup: WriterSetup) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        writer_setup.open(actions={"key_file": writer_setup.driver_setup.folder / "none.json"})
    assert caught.value.problem.key == "actions.key_file"
