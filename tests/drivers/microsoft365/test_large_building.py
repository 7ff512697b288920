"""5,500 rooms, found and read, of which a few are in trouble."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Reason
from placed.driver import Answer, Failed
from placed_microsoft365.simulator import Simulator, building_of
from tests.drivers.microsoft365.driver_setup import ROLES, DriverSetup, outcomes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.drivers.microsoft365.simulator.conftest import Clock

ROOMS = 5_500


@pytest.fixture
async def driver_setup(clock: Clock, tmp_path: Path) -> AsyncIterator[DriverSetup]:
    tenant = building_of(ROOMS, clock)
    app = tenant.register_app(secrets=["s3cret"], roles=ROLES)
    tenant.restrict(app, "placed-rooms")
    async with Simulator(tenant) as simulator:
        driver_setup = DriverSetup(simulator, app, clock, tmp_path)
        yield driver_setup
        for driver in driver_setup.drivers:
            await driver.close()


@pytest.mark.parametrize(
    "source",
    [
        {"room_group": "placed-rooms@contoso.example"},
        pytest.param({"room_list": "rooms@contoso.example"}, marks=pytest.mark.long),
    ],
)
async def test_a_large_building(
    driver_setup: DriverSetup, source: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    driver = driver_setup.open(rooms=None, **source)
    rooms = await driver.find_rooms()
    assert len({room.address for room in rooms}) == ROOMS
    queries = {room.address: driver_setup.query(room.address, "UTC", room.mailbox) for room in rooms}

    async def round_() -> tuple[dict[str, Answer], float]:
        driver_setup.simulator.clear_requests()
        begin = time.perf_counter()
        answers = await driver_setup.read(driver, *queries.values())
        took = time.perf_counter() - begin
        assert driver_setup.batches == len(driver_setup.asked("")) - driver_setup.sign_ins * 2 == 275
        return dict(zip(queries, answers, strict=True)), took

    first, whole = await round_()
    assert Counter(outcomes(list(first.values()))) == {"read": ROOMS}
    again, unchanged = await round_()
    assert Counter(outcomes(list(again.values()))) == {"unchanged": ROOMS}
    with capsys.disabled():
        print(f"\n{ROOMS} rooms: first round {whole:.2f} s, unchanged round {unchanged:.2f} s")  # noqa: T201

    addresses = sorted(queries)
    forbidden, deleted, throttled, malformed = addresses[:80:20]
    driver_setup.tenant.remove_member("placed-rooms", forbidden)
    driver_setup.tenant.remove_room(deleted)
    driver_setup.tenant.faults.throttled(retry_after="2.128", room=throttled)
    driver_setup.tenant.faults.bad_event(room=malformed)
    troubled, _ = await round_()
    failed = {address: answer for address, answer in troubled.items() if isinstance(answer, Failed)}
    assert {address: (answer.reason, answer.problem.retry_after) for address, answer in failed.items()} == {
        forbidden: (Reason.FORBIDDEN, None),
        deleted: (Reason.NOT_FOUND, None),
        throttled: (Reason.THROTTLED, 2.128),
        malformed: (Reason.MALFORMED, None),
    }
    assert Counter(outcomes(list(troubled.values())))["unchanged"] == ROOMS - 4
