"""Batches as a whole: what one room did not cause does not end in its name."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Reason
from placed.driver import DriverError, NotPermitted, Throttled, Unavailable
from placed_microsoft365.calendars import calendar_view
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import BOARDROOM, LIBRARY, DriverSetup, at, failure, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.graph.response import Answer


@pytest.fixture(autouse=True)
def _meetings(driver_setup: DriverSetup) -> None:
    for room in (BOARDROOM, LIBRARY):
        driver_setup.tenant.book(room, at(9), at(10))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("page", [False, True])
async def test_a_batch_that_fails_once_fails_its_rooms_only(
    driver_setup: DriverSetup, status: int, *, page: bool
) -> None:
    faults = driver_setup.tenant.faults
    if page:
        faults.html(status=status, where=Where.BATCH, times=1)
    else:
        faults.status(status, where=Where.BATCH, times=1)
    rooms = [driver_setup.tenant.add_room(f"room-{number}").address for number in range(40)]
    reported = outcomes(await driver_setup.read(driver_setup.open(), *rooms))
    assert sorted((reported.count("unavailable"), reported.count("read"))) == [20, 20]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_batch_throttled_once_is_repeated_and_no_room_fails(
    driver_setup: DriverSetup, status: int
) -> None:
    driver_setup.tenant.faults.status(status, retry_after="0.05", where=Where.BATCH, times=2)
    rooms = [driver_setup.tenant.add_room(f"room-{number}").address for number in range(40)]
    reported = outcomes(await driver_setup.read(driver_setup.open(), *rooms))
    assert reported == ["read"] * 40
    assert driver_setup.batches == 4


@pytest.mark.parametrize("fault", ["429", "500", "503", "drop", "html"])
async def test_batches_that_fail_in_a_row_end_the_reading(driver_setup: DriverSetup, fault: str) -> None:
    faults = driver_setup.tenant.faults
    match fault:
        case "drop":
            faults.drop()
        case "html":
            faults.html(where=Where.BATCH)
        case _:
            faults.status(int(fault), where=Where.BATCH)
    with pytest.raises(Unavailable):
        await driver_setup.read(
            driver_setup.open(), *(f"room-{number}@contoso.example" for number in range(2000))
        )
    assert driver_setup.batches < 20


async def test_after_a_truncated_batch_rooms_are_read_one_by_one(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.truncated(where=Where.BATCH, times=1)
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["read", "read"]


@pytest.mark.parametrize("status", [400, 405])
async def test_after_a_rejected_batch_rooms_are_read_one_by_one(
    driver_setup: DriverSetup, status: int
) -> None:
    driver_setup.tenant.faults.status(status, code="BadRequest", where=Where.BATCH)
    driver_setup.tenant.faults.forbidden(room=BOARDROOM)
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["forbidden", "read"]


async def test_a_gateway_that_always_answers_html_is_not_requested_for_every_room(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.faults.html(status=200, where=Where.GRAPH)
    driver_setup.tenant.faults.html(status=200)
    with pytest.raises(DriverError, match="understood"):
        await driver_setup.read(
            driver_setup.open(), *(f"room-{number}@contoso.example" for number in range(2000))
        )
    assert len(driver_setup.simulator.requests) < 250


async def test_a_forbidden_batch_is_the_connection_s_failure(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(403, code="ErrorAccessDenied", where=Where.BATCH)
    with pytest.raises(NotPermitted, match="403 ErrorAccessDenied") as error:
        await driver_setup.read(driver_setup.open())
    assert error.value.problem.remedy


async def test_a_batch_with_a_long_retry_after_ends_the_reading(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.throttled(retry_after="120", where=Where.BATCH)
    with pytest.raises(Throttled) as error:
        await driver_setup.read(
            driver_setup.open(), *(f"room-{number}@contoso.example" for number in range(2000))
        )
    assert error.value.problem.retry_after == 120
    assert error.value.reason is Reason.THROTTLED
    assert driver_setup.batches <= 8


async def test_an_outage_is_unavailable_and_its_end_is_seen(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    async with driver_setup.simulator.outage():
        failed = await driver_setup.read(driver)
    assert [failure(answer)[0] for answer in failed] == [Reason.UNAVAILABLE] * 2
    assert outcomes(await driver_setup.read(driver)) == ["unchanged", "unchanged"]


async def test_contradicting_items_are_rejected(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    plain = driver._graph.batch

    async def doubled(urls: Sequence[str]) -> Answer:
        answer = await plain(urls)
        empty = b'{"responses":[{"id":"0","status":200,"body":{"value":[]}},'
        return replace(answer, body=answer.body.replace(b'{"responses":[', empty))

    driver._graph.batch = doubled  # type: ignore[method-assign]
    assert outcomes(await driver_setup.read(driver)) == ["malformed", "read"]


@pytest.fixture
def _pages(driver_setup: DriverSetup) -> None:
    """The first room of two has a calendar of two pages."""
    for number in range(150):
        driver_setup.tenant.book(BOARDROOM, at(1, number), at(1, number + 1))


@pytest.mark.usefixtures("_pages")
async def test_a_room_does_not_wait_for_the_pages_of_another(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    plain = driver._graph.get
    reported: list[str] = []

    async def recording(*args: Any) -> Any:
        page = await plain(*args)
        reported.append("next page")
        return page

    driver._graph.get = recording  # type: ignore[method-assign,assignment]
    async for answer in driver.read([driver_setup.query(room) for room in (BOARDROOM, LIBRARY)]):
        reported.append(answer.query.room.id)  # noqa: PERF401 - others append meanwhile
    # All pages are read until two readings agree, in case events have moved between them.
    assert reported == ["library", "next page", "next page", "next page", "boardroom"]


@pytest.mark.usefixtures("_pages")
async def test_pages_that_never_come_are_given_up(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar_view, "TIMEOUT", 0.05)
    driver = driver_setup.open()

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    driver._graph.get = never  # type: ignore[method-assign,assignment]
    late, other = await driver_setup.read(driver)
    assert failure(late)[:2] == (Reason.UNAVAILABLE, "the calendar's pages take too long")
    assert outcomes([other]) == ["read"]
