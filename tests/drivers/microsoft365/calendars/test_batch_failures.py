"""Batches as a whole: what one room did not cause does not end in its name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Reason
from placed.driver import DriverError, NotPermitted, Unavailable
from placed_microsoft365.calendars import calendar_view
from placed_microsoft365.graph.response import Throttled
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_with_simulator import BOARDROOM, LIBRARY, House, at, failure, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.graph.response import Answer


@pytest.fixture(autouse=True)
def _meetings(house: House) -> None:
    for room in (BOARDROOM, LIBRARY):
        house.tenant.book(room, at(9), at(10))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("page", [False, True])
async def test_a_batch_that_fails_once_fails_its_rooms_only(house: House, status: int, *, page: bool) -> None:
    faults = house.tenant.faults
    if page:
        faults.html(status=status, where=Where.BATCH, times=1)
    else:
        faults.status(status, where=Where.BATCH, times=1)
    rooms = [house.tenant.add_room(f"room-{number}").address for number in range(40)]
    told = outcomes(await house.read(house.open(), *rooms))
    assert sorted((told.count("unavailable"), told.count("read"))) == [20, 20]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_batch_throttled_once_is_repeated_and_no_room_fails(house: House, status: int) -> None:
    house.tenant.faults.status(status, retry_after="0.05", where=Where.BATCH, times=2)
    rooms = [house.tenant.add_room(f"room-{number}").address for number in range(40)]
    told = outcomes(await house.read(house.open(), *rooms))
    assert told == ["read"] * 40
    assert house.batches == 4


@pytest.mark.parametrize("fault", ["429", "500", "503", "drop", "html"])
async def test_batches_that_fail_in_a_row_end_the_reading(house: House, fault: str) -> None:
    faults = house.tenant.faults
    match fault:
        case "drop":
            faults.drop()
        case "html":
            faults.html(where=Where.BATCH)
        case _:
            faults.status(int(fault), where=Where.BATCH)
    with pytest.raises(Unavailable):
        await house.read(house.open(), *(f"room-{number}@contoso.example" for number in range(2000)))
    assert house.batches < 20


async def test_after_a_truncated_batch_rooms_are_read_one_by_one(house: House) -> None:
    house.tenant.faults.truncated(where=Where.BATCH, times=1)
    assert outcomes(await house.read(house.open())) == ["read", "read"]


@pytest.mark.parametrize("status", [400, 405, 302])
async def test_after_a_rejected_batch_rooms_are_read_one_by_one(house: House, status: int) -> None:
    house.tenant.faults.status(status, code="BadRequest", where=Where.BATCH)
    house.tenant.faults.forbidden(room=BOARDROOM)
    assert outcomes(await house.read(house.open())) == ["forbidden", "read"]


async def test_a_gateway_that_always_answers_html_is_not_requested_for_every_room(house: House) -> None:
    house.tenant.faults.html(status=200, where=Where.GRAPH)
    house.tenant.faults.html(status=200)
    with pytest.raises(DriverError, match="understood"):
        await house.read(house.open(), *(f"room-{number}@contoso.example" for number in range(2000)))
    assert len(house.simulator.requests) < 250


async def test_a_forbidden_batch_is_the_connection_s_failure(house: House) -> None:
    house.tenant.faults.status(403, code="ErrorAccessDenied", where=Where.BATCH)
    with pytest.raises(NotPermitted, match="403 ErrorAccessDenied") as error:
        await house.read(house.open())
    assert error.value.problem.remedy


async def test_a_batch_with_a_long_retry_after_ends_the_reading(house: House) -> None:
    house.tenant.faults.throttled(retry_after="120", where=Where.BATCH)
    with pytest.raises(Throttled) as error:
        await house.read(house.open(), *(f"room-{number}@contoso.example" for number in range(2000)))
    assert error.value.problem.retry_after == 120
    assert error.value.reason is Reason.THROTTLED
    assert house.batches <= 8


async def test_an_outage_is_unavailable_and_its_end_is_seen(house: House) -> None:
    driver = house.open()
    await house.read(driver)
    async with house.simulator.outage():
        failed = await house.read(driver)
    assert [failure(answer)[0] for answer in failed] == [Reason.UNAVAILABLE] * 2
    assert outcomes(await house.read(driver)) == ["unchanged", "unchanged"]


async def test_contradicting_items_are_rejected(house: House) -> None:
    driver = house.open()
    plain = driver._graph.batch

    async def doubled(urls: Sequence[str]) -> Answer:
        answer = await plain(urls)
        empty = b'{"responses":[{"id":"0","status":200,"body":{"value":[]}},'
        return replace(answer, body=answer.body.replace(b'{"responses":[', empty))

    driver._graph.batch = doubled  # type: ignore[method-assign]
    assert outcomes(await house.read(driver)) == ["malformed", "read"]


@pytest.fixture
def _pages(house: House) -> None:
    """The first room of two has a calendar of two pages."""
    for number in range(150):
        house.tenant.book(BOARDROOM, at(1, number), at(1, number + 1))


@pytest.mark.usefixtures("_pages")
async def test_a_room_does_not_wait_for_the_pages_of_another(house: House) -> None:
    driver = house.open()
    plain = driver._graph.get
    told: list[str] = []

    async def recording(*args: Any) -> Any:
        page = await plain(*args)
        told.append("next page")
        return page

    driver._graph.get = recording  # type: ignore[method-assign,assignment]
    async for answer in driver.read([house.query(room) for room in (BOARDROOM, LIBRARY)]):
        told.append(answer.query.room.id)  # noqa: PERF401 - others append meanwhile
    # All pages are read until two readings agree, in case events have moved between them.
    assert told == ["library", "next page", "next page", "next page", "boardroom"]


@pytest.mark.usefixtures("_pages")
async def test_pages_that_never_come_are_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_view, "TIMEOUT", 0.05)
    driver = house.open()

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    driver._graph.get = never  # type: ignore[method-assign,assignment]
    late, other = await house.read(driver)
    assert failure(late)[:2] == (Reason.UNAVAILABLE, "the calendar's pages take too long")
    assert outcomes([other]) == ["read"]
