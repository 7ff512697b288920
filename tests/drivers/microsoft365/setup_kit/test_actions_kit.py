"""The kit for the registration that writes: what it asks for, what it explains, and what it leaves alone."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import ActionsSetup, Book, KitError, NotWritten, Surroundings, Written
from placed_microsoft365 import Microsoft365
from placed_microsoft365.auth.application_permissions import APP_ROLES
from placed_microsoft365.settings import Microsoft365Settings
from placed_microsoft365.setup_kit import write_actions_kit
from placed_microsoft365.simulator.control.manifest_parser import read_manifest, requested_roles
from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup, at, room_of
from tests.drivers.microsoft365.setup_kit.sample_kits import CLIENT_ID, GIVEN, KINDS, NOW, ROOMS, write

if TYPE_CHECKING:
    from pathlib import Path

READER = "0e6f8a51-35a8-4fbf-9d39-5c1e7a4b9a10"


def test_the_setup_offers_it() -> None:
    assert isinstance(Microsoft365.setup(), ActionsSetup)


def readme(folder: Path) -> str:
    """Without the ends of lines, at which paragraphs are wrapped."""
    return " ".join((folder / "README.md").read_text().split())


@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_for_calendars_alone_and_under_rbac_for_nothing_in_entra(tmp_path: Path, kind: str) -> None:
    write(tmp_path, fence__kind=kind, room_list="*", actions=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    ids = [role["id"] for one in manifest["requiredResourceAccess"] for role in one["resourceAccess"]]
    assert ids == ([] if kind == "rbac" else [APP_ROLES["Calendars.ReadWrite"].id])
    assert manifest["displayName"] == "placed-contoso-actions"


def test_its_registration_scope_and_role_are_not_those_of_the_reader(tmp_path: Path) -> None:
    write(tmp_path, actions=True)
    script = (tmp_path / "fence-rbac.ps1").read_text()
    assert "$Role = 'Application Calendars.ReadWrite'" in script
    assert "$ScopeName = 'placed-contoso-actions'" in script
    assert "$AssignmentName = 'placed-contoso-calendars-readwrite'" in script
    assert "$Group = 'placed-contoso-rooms@contoso.com'" in script


def test_the_reader_is_named_as_before(tmp_path: Path) -> None:
    write(tmp_path)
    script = (tmp_path / "fence-rbac.ps1").read_text()
    assert "$Role = 'Application Calendars.Read'" in script
    assert "$AssignmentName = 'placed-contoso-calendars-read'" in script
    assert "Nothing here lets placed write, book, move or delete anything." in readme(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_its_page_states_what_is_written_and_who_hears_of_it(tmp_path: Path, kind: str) -> None:
    write(tmp_path, fence__kind=kind, actions=True)
    text = readme(tmp_path)
    for fact in (
        "Calendars.ReadWrite",
        "no request that changes anything leaves the program",
        "It never changes a whole series",
        "never deletes what it did not make",
        "is no booking request",
        "A check-in writes nothing",
        "EnableAutoRelease",
        "./undo.ps1 -RemoveApplication ",
    ):
        assert fact in text, fact
    assert "Nothing here lets placed write" not in text
    assert ("**3. Consent**" in text) is (kind == "access-policy")
    assert "@@" not in text


def test_its_table_allows_nothing_until_somebody_names_what(tmp_path: Path) -> None:
    write(tmp_path, actions=True, client_id=CLIENT_ID)
    actions = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]["actions"]
    connection: dict[str, Any] = {
        "name": "contoso",
        "tenant": "contoso.onmicrosoft.com",
        "client_id": READER,
        "certificate": tmp_path / "contoso.pem",
        "rooms": ["boardroom@contoso.com"],
    }
    settings = Microsoft365Settings(**connection, actions=actions)
    assert settings.actions is not None
    assert settings.actions.allow == frozenset()
    assert (settings.actions.client_id, settings.actions.certificate) == (
        CLIENT_ID,
        tmp_path / "contoso-actions.pem",
    )


def test_the_answers_of_a_connection_name_the_registration_of_actions(tmp_path: Path) -> None:
    write(tmp_path, actions=True, client_id=CLIENT_ID)
    actions = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]["actions"]
    connection: dict[str, Any] = {
        "name": "contoso",
        "tenant": "t",
        "certificate": "/x.pem",
        "rooms": ["a@contoso.com"],
    }
    setup = Microsoft365.setup()
    assert isinstance(setup, ActionsSetup)
    without = Microsoft365Settings(**connection, client_id=READER)
    assert "client_id" not in setup.actions_answers_of(without)
    settings = Microsoft365Settings(**connection, client_id=READER, actions=actions)
    assert setup.actions_answers_of(settings)["client_id"] == CLIENT_ID


def test_a_second_run_keeps_key_and_client_id_and_a_renewal_adds_a_key(tmp_path: Path) -> None:
    write(tmp_path, actions=True)
    key = (tmp_path / "contoso-actions.pem").read_bytes()
    table = tmp_path / "placed.toml"
    table.write_text(table.read_text().replace('client_id = ""', f'client_id = "{CLIENT_ID}"'))
    write(tmp_path, actions=True)
    assert f'client_id = "{CLIENT_ID}"' in table.read_text()
    assert f"$ClientId = '{CLIENT_ID}'" in (tmp_path / "fence-rbac.ps1").read_text()
    kit = write(tmp_path, actions=True, renew=True, now=NOW + timedelta(days=300))
    assert (tmp_path / "contoso-actions.pem").read_bytes() == key
    assert len([*tmp_path.glob("contoso-actions*.pem")]) == 2
    assert "retire-certificate.ps1" in {file.path.name for file in kit.files}
    assert "placed setup contoso --actions --renew" in readme(tmp_path)


def test_a_name_that_exchange_would_not_take_is_refused(tmp_path: Path) -> None:
    longest = "x" * 37
    write_actions_kit(longest, GIVEN | ROOMS, tmp_path / "kit", now=NOW, renew=False)
    with pytest.raises(KitError, match="at most 37"):
        write_actions_kit(f"{longest}x", GIVEN | ROOMS, tmp_path / "kit", now=NOW, renew=False)


async def test_the_kits_registration_can_write_once_consent_is_given(
    driver_setup: DriverSetup, tmp_path: Path
) -> None:
    """Manifest and certificate of the kit are registered at the simulated tenant, as register does."""
    write(tmp_path, fence__kind="access-policy", actions=True)
    manifest = (tmp_path / "manifest.json").read_bytes()
    tenant = driver_setup.tenant
    app = tenant.register_app(certificates=[(tmp_path / "contoso-actions.crt").read_bytes()])
    app.requested = requested_roles(read_manifest(manifest).required_resource_access)
    tenant.restrict(app, "placed-rooms")
    actions = {"client_id": app.client_id, "certificate": tmp_path / "contoso-actions.pem"}
    clock = driver_setup.clock
    surroundings = Surroundings(clock, 8, details=False, version="1.2.3", steady=lambda: clock().timestamp())
    writer = Microsoft365.open_writer(driver_setup.settings(actions=actions), surroundings)
    order = Book("6f0c", room_of(BOARDROOM), at(10), at(11), "Booked at the room")
    assert isinstance(await writer.write(order), NotWritten)
    tenant.consent(app)
    clock.advance(minutes=6)  # a token with the new grant
    assert isinstance(await writer.write(order), Written)
    await writer.close()
