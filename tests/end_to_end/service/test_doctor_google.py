"""`placed doctor` with Google Workspace: every error of Google's hosts has one next step, its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor import Chart, examine
from placed.driver import Surroundings
from placed.settings.loader import load
from placed_google.api.error_codes import CALENDAR_ERRORS, DIRECTORY_ERRORS
from placed_google.simulator import Role, Where
from tests.support.deployment import Deployment
from tests.support.google_workspace import connection_toml, make_key_file, simulated_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_google.api.error_codes import ErrorRow
    from placed_google.simulator import ServiceAccount, Simulator, Workspace

ROWS = [
    pytest.param(where, row, status, reason, id=f"{where} {status} {reason}")
    for where, rows in ((Where.CALENDAR, CALENDAR_ERRORS), (Where.DIRECTORY, DIRECTORY_ERRORS))
    for row in rows
    if row.advice
    for status in sorted(row.statuses)[:1]
    for reason in sorted(row.reasons)[:1] or ["unheardOf"]
]


@dataclass
class GoogleSite:
    """A connection that holds, and the doctor that looks at it."""

    deployment: Deployment
    workspace: Workspace
    account: ServiceAccount
    table: str
    simulator: Simulator

    async def findings(self, *, details: bool = False) -> list[dict[str, Any]]:
        """What is not good."""
        self.deployment.connections = [self.table]
        self.deployment.configure()
        surroundings = Surroundings(self.deployment.clock.now, 8, details=details, version="1.2.3")
        found = examine(load(self.deployment.file), surroundings, self.deployment.state_directory)
        chart = Chart.of([item async for item in found])
        return [one for one in chart.document()["findings"] if one["verdict"] != "good"]

    def from_directory(self) -> None:
        """The rooms come from the directory."""
        lines = self.table.splitlines(keepends=True)
        customer = f'customer = "{self.workspace.customer_id}"\n'
        self.table = "".join(customer if line.startswith("rooms = ") else line for line in lines)
        self.account.reads_directory = True


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[GoogleSite]:
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_workspace(deployment.clock.now) as simulator,
    ):
        workspace = simulator.workspace
        for name in ("Aquarium", "Library"):
            workspace.add_room(name)
        account = workspace.add_service_account()
        workspace.share_rooms(account)
        table = connection_toml(simulator, make_key_file(simulator, account, tmp_path / "fabrikam.json"))
        yield GoogleSite(deployment, workspace, account, table, simulator)


async def test_a_connection_that_holds_has_no_findings(site: GoogleSite) -> None:
    assert await site.findings() == []
    site.from_directory()
    assert await site.findings() == []


@pytest.mark.parametrize(("where", "row", "status", "reason"), ROWS)
async def test_every_error_of_the_apis_is_reported_with_its_own_next_step(
    where: Where, row: ErrorRow, status: int, reason: str, site: GoogleSite
) -> None:
    if where is Where.DIRECTORY:
        site.from_directory()
    site.workspace.faults.status(status, reason=reason, where=where)
    findings = await site.findings()
    assert findings
    wanted = row.advice.partition("{")[0]
    first = next(one for one in findings if not one["blocked_by"])
    assert first["remedy"].startswith(wanted), findings
    bad = {one["remedy"] for one in findings if one["verdict"] == "bad"}
    assert len(bad) <= 1, bad


async def test_rooms_that_are_not_shared_are_named_with_whom_to_share_them(site: GoogleSite) -> None:
    site.workspace.unshare("Library", site.account)
    (finding,) = await site.findings()
    assert finding["check"] == "readable"
    assert "1 of 2 rooms can be read; 1 not found (404 notFound)" in finding["said"]
    assert f"share the room's calendar with {site.account.email}" in finding["remedy"]


async def test_sharing_that_the_organisation_caps_is_reported_once_with_the_cap(site: GoogleSite) -> None:
    site.workspace.limit_external_sharing(Role.FREE_BUSY_READER)
    (finding,) = await site.findings(details=True)
    assert finding["check"] == "titles"
    assert "External sharing options" in finding["remedy"]
    assert await site.findings() == []  # where titles are hidden anyway


async def test_a_breach_and_a_canary_that_does_not_exist_are_different_findings(site: GoogleSite) -> None:
    site.workspace.share("ada@fabrikam.example", site.account)
    (finding,) = await site.findings()
    assert (finding["check"], finding["verdict"]) == ("canaries", "bad")
    site.table = site.table.replace("ada@", "nobody@").replace("canaries_exist = true", "")
    (finding,) = await site.findings()
    assert (finding["check"], finding["verdict"]) == ("canaries", "doubtful")
    assert "canaries_exist = true" in finding["remedy"]


async def test_with_a_subject_the_fence_is_reported_as_none(site: GoogleSite) -> None:
    site.workspace.delegate(site.account, "https://www.googleapis.com/auth/calendar.events.readonly")
    site.table = site.table.replace("rooms =", 'subject = "ben@fabrikam.example"\nrooms =')
    findings = await site.findings()
    assert {one["check"] for one in findings} == {"canaries"}
    assert any("delegation cannot be fenced" in one["said"] for one in findings)
    assert "ben@" not in str(findings)


async def test_a_captive_portal_is_no_calendar(site: GoogleSite) -> None:
    site.workspace.faults.html(status=200)
    findings = await site.findings()
    assert {one["check"] for one in findings if not one["blocked_by"]} == {"api"}
    assert {one["verdict"] for one in findings} == {"bad"}
    assert "answers in Google's place" in findings[0]["remedy"]


async def test_the_account_of_actions_needs_every_room_and_its_own_fence(
    site: GoogleSite, tmp_path: Path
) -> None:
    workspace = site.workspace
    writer = workspace.add_service_account("placed-actions")
    key_file = make_key_file(site.simulator, writer, tmp_path / "writer.json")
    site.table += f'[connections.actions]\nkey_file = "{key_file}"\nallow = ["book"]\n'
    workspace.share_rooms(writer, Role.WRITER)
    assert [one for one in await site.findings() if one["check"] == "actions"] == []

    workspace.share("Library", writer, Role.READER)
    (found,) = [one for one in await site.findings() if one["check"] == "actions"]
    assert "1 of 2 rooms" in found["said"]
    assert "Make changes to events" in found["remedy"]

    workspace.share("Library", writer, Role.WRITER)
    workspace.share("ada", writer, Role.READER)
    (found,) = [one for one in await site.findings() if one["check"] == "actions"]
    assert "credential of actions" in found["said"]
