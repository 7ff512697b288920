"""Without a table `actions`, no request that changes something can leave the program."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from placed.driver import ConnectionSettings, NoShowSettings, Surroundings
from placed_microsoft365 import Microsoft365
from tests.architecture.import_graph import Kind, imported, modules
from tests.drivers.microsoft365.booking.test_write_answers import BOOK
from tests.drivers.microsoft365.driver_setup import ADA, ADDRESSES, BOARDROOM, DriverSetup, at

if TYPE_CHECKING:
    from tests.drivers.microsoft365.booking.writer_setup import WriterSetup

BOOKING = "placed_microsoft365.booking"


def changing(driver_setup: DriverSetup) -> list[str]:
    """The requests so far that could have changed something: no GET, no batch of GETs, and no sign-in."""
    found = []
    for record in driver_setup.simulator.requests:
        items = {item.method for item in record.items}
        batch = record.path == "/v1.0/$batch" and items == {"GET"}
        if record.method != "GET" and not batch and not record.path.endswith("/oauth2/v2.0/token"):
            found.append(f"{record.method} {record.path}")
    return found


@pytest.mark.parametrize(
    "tables",
    [{}, {"check_in": {"required": True}}, {"check_in": {}, "no_show": NoShowSettings()}],
)
async def test_whatever_else_is_configured_it_only_reads(
    driver_setup: DriverSetup, tables: dict[str, Any]
) -> None:
    driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
    driver_setup.tenant.grant(driver_setup.app, "Calendars.ReadWrite")
    driver_setup.tenant.book(BOARDROOM, at(7), at(9))
    for sources in ({"rooms": ADDRESSES}, {"rooms": (), "room_group": "placed-rooms@contoso.example"}):
        driver = driver_setup.open(fence={"canaries": [ADA]}, **sources, **tables)
        await driver.find_rooms()
        await driver_setup.read(driver)
        await driver.try_fence()
        settings = driver_setup.settings(fence={"canaries": [ADA]}, **sources, **tables)
        diagnosis = Microsoft365.diagnosis(settings, surroundings(driver_setup))
        assert [finding async for finding in diagnosis.examine()]
        await diagnosis.look_at_habits(await driver.find_rooms())
    assert changing(driver_setup) == []
    assert len(driver_setup.simulator.requests) > 10


async def test_a_write_would_be_seen(writer_setup: WriterSetup) -> None:
    await writer_setup.open().write(BOOK)
    assert changing(writer_setup.driver_setup) == [f"POST /v1.0/users/{BOARDROOM}/events"]


def test_a_writer_cannot_be_opened_without_the_table(driver_setup: DriverSetup) -> None:
    with pytest.raises(AssertionError):
        Microsoft365.open_writer(driver_setup.settings(), surroundings(driver_setup))


def test_the_registration_that_reads_cannot_be_the_one_that_writes(driver_setup: DriverSetup) -> None:
    app = driver_setup.app.client_id
    actions = {"client_id": app, "client_secret_file": "/run/secret", "allow": ["book"]}
    with pytest.raises(ValidationError, match="a registration of its own"):
        driver_setup.settings(actions=actions)


def test_the_code_that_writes_is_loaded_by_opening_a_writer_alone() -> None:
    importers = {
        (module, kind)
        for module in modules()
        for name, kind in imported(module)
        if name.startswith(BOOKING) and not module.startswith(BOOKING)
    }
    assert importers == {("placed_microsoft365.driver", Kind.CALL), *OF_THE_DOCTOR}
    (function,) = ast.parse(inspect.cleandoc(inspect.getsource(Microsoft365.open_writer))).body
    assert BOOKING in ast.unparse(function)


OF_THE_DOCTOR: set[tuple[str, Kind]] = set()


def test_no_connection_writes_by_default() -> None:
    assert ConnectionSettings(name="contoso", driver="toy").writes is None


def surroundings(driver_setup: DriverSetup) -> Surroundings:
    clock = driver_setup.clock
    return Surroundings(clock, 8, details=True, version="1.2.3", steady=lambda: clock().timestamp())
