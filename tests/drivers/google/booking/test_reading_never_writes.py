"""The driver that reads asks for nothing that could change a calendar, whatever its account may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_google.simulator import Role
from tests.drivers.google.driver_setup import ADA, BOARDROOM, at

if TYPE_CHECKING:
    from tests.drivers.google.booking.writer_setup import WriterSetup


async def test_a_connection_with_actions_reads_with_its_own_account_alone(writer_setup: WriterSetup) -> None:
    setup = writer_setup.driver_setup
    setup.workspace.share_rooms(setup.account, Role.OWNER)
    setup.workspace.book(BOARDROOM, at(8), at(9))
    actions = {"key_file": writer_setup.key_file(), "allow": ["book", "end", "extend"]}
    driver = setup.open(actions=actions, check_in={}, fence={"canaries": [ADA]})
    await driver.find_rooms()
    await setup.read(driver)
    await driver.try_fence()
    requests = setup.simulator.requests
    methods = {item.method for record in requests for item in (record.items or [record])}
    others = {(one.method, one.path) for one in requests if one.method != "GET" and not one.items}
    assert methods <= {"GET", "POST"}
    assert {path for _, path in others} == {"/token"}
    assert setup.workspace.calendar(BOARDROOM).events
