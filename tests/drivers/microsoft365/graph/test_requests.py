"""The driver's requests are what Microsoft's documents allow, and give away nothing."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import ADA, ADDRESSES, BOARDROOM, DriverSetup, at, outcomes
from tests.drivers.microsoft365.graph_openapi import load, needs_contract

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from placed.driver import Answer


async def everything(driver_setup: DriverSetup) -> None:
    """Makes the driver ask whatever it can ask."""
    tenant = driver_setup.tenant
    for number in range(130):
        room = tenant.add_room(f"o'neill & sons {number}@contoso.example")
        tenant.add_member("placed-rooms", room)
        tenant.book(BOARDROOM, at(1, number), at(1, number + 1))
    tenant.add_room_list("hq", rooms=ADDRESSES)
    sources: tuple[dict[str, Any], ...] = (
        {"room_group": "placed-rooms@contoso.example"},
        {"room_group": tenant.group("placed-rooms").group_id},
        {"room_list": "hq@contoso.example"},
        {"room_list": "*"},
    )
    for source in sources:
        driver = driver_setup.open(rooms=None, fence={"canaries": [ADA, "o'neill@contoso.example"]}, **source)
        await driver.try_fence()
        for page in await driver.find_rooms(), await driver.find_rooms():
            queries = [driver_setup.query(room.address, "UTC", room.mailbox) for room in page]
            assert set(outcomes(await driver_setup.read(driver, *queries))) <= {"read", "unchanged"}
    tenant.faults.truncated(where=Where.BATCH, times=1)  # so that it asks room by room
    assert outcomes(await driver_setup.read(driver_setup.open(details=False))) == ["read", "read"]


@needs_contract
async def test_every_request_and_every_item_is_in_the_contract(driver_setup: DriverSetup) -> None:
    await everything(driver_setup)
    contract = load()
    records = [r for r in driver_setup.simulator.requests if r.path.startswith("/v1.0/")]
    asked = {(record.method, record.path.removeprefix("/v1.0")) for record in records}
    asked |= {(item.method, item.path) for record in records for item in record.items}
    problems = [problem for one in asked for problem in contract.request_problems(*one)]
    assert problems == []
    assert len(asked) > 250
    assert {record.status for record in records} <= {200, 404}


async def test_batches_are_full_and_no_room_is_read_twice(driver_setup: DriverSetup) -> None:
    rooms = [driver_setup.tenant.add_room(f"room-{number}").address for number in range(101)]
    await driver_setup.read(driver_setup.open(), *rooms)
    batches = [record.items for record in driver_setup.simulator.requests if record.items]
    assert sorted(map(len, batches)) == [1, 20, 20, 20, 20, 20]
    assert len({item.path for items in batches for item in items}) == 101


async def test_people_subjects_and_tokens_are_not_logged(
    driver_setup: DriverSetup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    driver_setup.tenant.book(BOARDROOM, at(9), at(10), subject="Takeover", organizer="Grace Sample")
    driver = driver_setup.open(fence={"canaries": [ADA]})
    faults = driver_setup.tenant.faults
    reported: list[Answer] = []
    await driver.try_fence()
    spoilers: tuple[Callable[[], object], ...] = (
        lambda: faults.bad_event("bad_date", times=1),
        lambda: faults.wrong_types("subject_is_number", times=1),
        lambda: faults.status(400, code=ADA, message=f"{ADA} Takeover", times=2),
        lambda: faults.endless(times=1),
        lambda: faults.drop(times=2),
    )
    for spoil in spoilers:
        spoil()
        reported += await driver_setup.read(driver)
    details = " ".join(str(getattr(answer, "problem", "")) for answer in reported) + caplog.text
    assert details
    issued = [token for tokens in driver_setup.tenant.tokens._issued.values() for token in tokens]
    assert issued
    for secret in ("Grace", "Takeover", ADA, "boardroom@", "s3cret", *issued):
        assert secret not in details, secret


async def test_the_body_of_a_batch_is_plain(driver_setup: DriverSetup) -> None:
    bodies: list[bytes] = []
    driver = driver_setup.open()
    plain = driver._graph.ask

    async def record(method: str, url: str, body: bytes | None = None, **more: object) -> object:
        bodies.append(body or b"")
        return await plain(method, url, body, **more)  # type: ignore[arg-type]

    driver._graph.ask = record  # type: ignore[method-assign,assignment]
    await driver_setup.read(driver, BOARDROOM)
    assert json.loads(bodies[0]) == {
        "requests": [
            {
                "id": "0",
                "method": "GET",
                "url": "/users/boardroom@contoso.example/calendarView"
                "?startDateTime=2026-10-05T00:00:00Z&endDateTime=2026-10-08T00:00:00Z"
                "&$select=id,start,end,isAllDay,isCancelled,showAs,sensitivity,responseStatus,subject,organizer"
                "&$top=100",
            }
        ]
    }
