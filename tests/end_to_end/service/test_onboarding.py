"""A new administrator's onboarding: from an empty tenant to a doctor without findings, led by it alone.

The kit of `placed setup` is applied to the simulated tenant through its control interface, as its scripts
apply it to a real one. At each step the doctor names one next step, and it is the one that helps.
"""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from placed.doctor import Chart, examine
from placed.driver import Surroundings
from placed.settings.loader import load
from placed_microsoft365.simulator import Tenant
from tests.support.adjustable_clock import LeapingClock
from tests.support.deployment import Deployment
from tests.support.placed_process import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOBODY = "00000000-0000-0000-0000-000000000000"
GROUP, CANARY = "placed-rooms@contoso.example", "ada@contoso.example"


class Onboarding:
    """The administrator, the doctor and the tenant."""

    def __init__(self, deployment: Deployment, kind: str) -> None:
        self.deployment = deployment
        self.kind = kind
        self.kit = deployment.folder / "kit"
        self.client_id = NOBODY

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A step of the kit, at the simulated tenant."""
        simulator = self.deployment.simulator
        trust = ssl.create_default_context(cafile=simulator.ca_file)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{simulator.url}/_control/{path}", json=body, ssl=trust) as response,
        ):
            answer = await response.json(content_type=None)
            assert response.status == 200, answer
            return answer

    async def set_up(self) -> None:
        """`placed setup` writes the kit; nothing is configured yet."""
        answers = {
            "tenant": "contoso.example",
            "room_group": GROUP,
            "fence.kind": self.kind,
            "fence.canaries": CANARY,
            "time_zone": "Europe/Berlin",
        }
        options = [word for key, value in answers.items() for word in ("--set", f"{key}={value}")]
        code, program = await run(self.deployment.folder, "setup", "contoso", "--output", self.kit, *options)
        assert code == 0, program.err

    def configure(self) -> None:
        """The kit's own table, with the client id, and where the simulated tenant is."""
        table = (self.kit / "placed.toml").read_text("utf-8")
        simulator = self.deployment.simulator
        hosts = f'authority = "{simulator.url}"\ngraph = "{simulator.url}"\nca_file = "{simulator.ca_file}"\n'
        assert 'client_id = ""' in table
        table = table.replace('client_id = ""', f'client_id = "{self.client_id}"')
        table = table.replace("room_group =", f"{hosts}room_group =")
        self.deployment.connections = [table]
        self.deployment.configure()

    async def doctor(self) -> dict[str, dict[str, Any]]:
        """What `placed doctor` finds broken, by check."""
        clock = self.deployment.clock
        surroundings = Surroundings(now=clock.now, concurrency=8, details=False, version="1.2.3")
        configuration = load(self.deployment.file)
        chart = Chart.of(
            [t async for t in examine(configuration, surroundings, self.deployment.state_directory)]
        )
        findings = chart.document()["findings"]
        return {f["check"]: f for f in findings if f["verdict"] == "bad"}

    async def next_step(self, *words: str) -> dict[str, dict[str, Any]]:
        """All that is broken names one next step, with these words in it."""
        bad = await self.doctor()
        remedies = {finding["remedy"] for finding in bad.values()}
        assert len(remedies) == 1, bad
        (remedy,) = remedies
        assert all(word in remedy for word in words), remedy
        return bad


@pytest.fixture(params=["access-policy", "rbac"])
async def onboarding(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Onboarding]:
    """A company: rooms and people, and nothing of placed."""
    clock = LeapingClock()
    tenant = Tenant(now=clock.now)
    for room in ("boardroom", "library"):
        tenant.add_room(room)
    tenant.add_person("ada")
    async with Deployment.open(tmp_path, tenant) as deployment:
        yield Onboarding(deployment, request.param)


async def test_from_an_empty_tenant_the_doctor_leads_to_a_connection_that_holds(
    onboarding: Onboarding,
) -> None:
    # Nothing at all: everything waits for a configuration.
    code, program = await run(
        onboarding.deployment.folder, "doctor", "--json", "-c", onboarding.deployment.file
    )
    assert code == 1
    findings = json.loads("\n".join(program.out))["findings"]
    assert {finding["verdict"] for finding in findings} == {"bad"}
    bad = {finding["check"]: finding for finding in findings}
    assert {"settings", "state", "time_zones", "http", "token", "rooms", "readable", "broker"} <= bad.keys()
    assert {f["blocked_by"] for check, f in bad.items() if check != "settings"} == {"settings"}
    assert len({f["remedy"] for f in bad.values()}) == 1

    # The kit and a configuration: the application is not registered.
    await onboarding.set_up()
    onboarding.configure()
    bad = await onboarding.next_step("register it", "placed setup")
    assert "AADSTS700016" in bad["token"]["said"]
    waiting = {"claims", "consent", "rooms", "readable", "canaries", "titles", "private"}
    assert {check for check, finding in bad.items() if finding["blocked_by"] == "token"} == waiting

    # register, without its certificate: it is not known.
    manifest = json.loads((onboarding.kit / "manifest.json").read_text())
    app = await onboarding.control(
        "POST",
        "apps",
        {"name": manifest["displayName"], "redirect_uris": manifest["web"]["redirectUris"]},
    )
    onboarding.client_id = app["client_id"]
    access = {"requiredResourceAccess": manifest["requiredResourceAccess"]}
    await onboarding.control("POST", f"apps/{onboarding.client_id}/manifest", access)
    onboarding.configure()
    await onboarding.next_step("upload it", "placed setup")
    certificate = {"pem": (onboarding.kit / "contoso.crt").read_text()}
    await onboarding.control("POST", f"apps/{onboarding.client_id}/certificates", certificate)

    # Consent.
    await onboarding.next_step("placed consent")
    await onboarding.control("POST", f"apps/{onboarding.client_id}/consent", {})

    # The group, and the rooms in it.
    await onboarding.next_step("room_group", "placed setup")
    await onboarding.control("POST", "groups", {"group": GROUP})
    await onboarding.next_step("room")
    for room in ("boardroom", "library"):
        await onboarding.control("POST", f"groups/{GROUP}/members", {"member": room})

    # The fence.
    if onboarding.kind == "rbac":
        await onboarding.next_step("RBAC", "placed setup")
        await onboarding.control("POST", f"apps/{onboarding.client_id}/role-assignments", {"group": GROUP})
    else:
        bad = await onboarding.next_step("placed setup")
        assert set(bad) == {"canaries"}
        policy = {"right": "RestrictAccess", "group": GROUP}
        await onboarding.control("POST", f"apps/{onboarding.client_id}/access-policies", policy)

    code, program = await run(onboarding.deployment.folder, "doctor", "-c", onboarding.deployment.file)
    assert code == 0
    *checks, summary = [line for line in program.out if line]
    assert len(checks) == 20
    assert {line[0] for line in checks} == {"✓"}
    assert summary == "20 ✓ 0 ! 0 ✗"
    assert CANARY not in "\n".join(program.out)
