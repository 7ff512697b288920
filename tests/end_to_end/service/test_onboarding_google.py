"""A new administrator's onboarding with Google Workspace: from nothing to a doctor without findings.

The kit of `placed setup` is applied to the simulated Workspace by its consoles' HTTP interface, as the kit's
scripts and pages apply it to a real one. At each step the doctor names one next step, and it is the one that
helps.
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
from placed_google.auth.scopes import EVENTS
from placed_google.client_factory import CALENDAR_API, DIRECTORY_API
from tests.support.deployment import Deployment
from tests.support.google_workspace import hosts_toml, simulated_workspace
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_google.simulator import Simulator

APIS = (CALENDAR_API, DIRECTORY_API)
PROJECT, CANARY = "fabrikam-placed", "ada@fabrikam.example"
ACCOUNT = f"placed-fabrikam@{PROJECT}.iam.gserviceaccount.com"


class Onboarding:
    """The administrator, the doctor and the Workspace."""

    def __init__(self, deployment: Deployment, simulator: Simulator, source: str) -> None:
        self.deployment = deployment
        self.simulator = simulator
        self.workspace = simulator.workspace
        self.kit = deployment.folder / "kit"
        rooms = ",".join(room.address for room in self.workspace.rooms())
        self.source = ("customer", self.workspace.customer_id) if source == "directory" else ("rooms", rooms)

    async def console(self, method: str, path: str, body: Any = None) -> Any:
        """A step of the kit, at the Google Cloud console or the Admin console."""
        trust = ssl.create_default_context(cafile=self.simulator.ca_file)
        url = f"{self.simulator.url}/_control/{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, json=body, ssl=trust) as response,
        ):
            answer = await response.json(content_type=None)
            assert response.status == 200, answer
            return answer

    async def create_account(self) -> None:
        """What create-project.sh makes; the APIs that it enables are another step here."""
        await self.console("POST", "accounts", {"name": "placed-fabrikam", "project": PROJECT})
        for api in APIS:
            await self.console("POST", f"projects/{PROJECT}/apis", {"api": api, "enabled": False})
        key = await self.console("POST", f"accounts/{ACCOUNT}/keys")
        write_secret(self.kit / "fabrikam.json", json.dumps(key))

    async def enable_apis(self) -> None:
        for api in APIS:
            await self.console("POST", f"projects/{PROJECT}/apis", {"api": api, "enabled": True})

    async def share(self, calendar: str = "*", role: str = "reader") -> None:
        """What share-rooms.gs does, for every room or one calendar."""
        await self.console("POST", f"calendars/{calendar}/rules", {"role": role, "with": ACCOUNT})

    async def set_up(self, **more: str) -> None:
        """`placed setup` writes the kit, and its own table becomes the configuration."""
        answers = {
            "project": PROJECT,
            self.source[0]: self.source[1],
            "fence.canaries": CANARY,
            "time_zone": "UTC",
            **more,
        }
        options = [word for key, value in answers.items() for word in ("--set", f"{key}={value}")]
        folder = self.deployment.folder
        code, program = await run(folder, "setup", "fabrikam", "--output", self.kit, *options)
        assert code == 0, program.err
        table = (self.kit / "placed.toml").read_text("utf-8")
        self.deployment.connections = [
            table.replace("time_zone =", f"{hosts_toml(self.simulator)}time_zone =")
        ]
        self.deployment.configure()

    async def doctor(self) -> list[dict[str, Any]]:
        """What `placed doctor` finds."""
        surroundings = Surroundings(self.deployment.clock.now, 8, details=False, version="1.2.3")
        configuration = load(self.deployment.file)
        found = examine(configuration, surroundings, self.deployment.state_directory)
        findings: list[dict[str, Any]] = Chart.of([t async for t in found]).document()["findings"]
        assert CANARY not in json.dumps(findings)
        return findings

    async def next_step(self, *words: str, verdict: str = "bad") -> dict[str, dict[str, Any]]:
        """All that is broken names one next step, with these words in it."""
        findings = {f["check"]: f for f in await self.doctor() if f["verdict"] == verdict}
        remedies = {finding["remedy"] for finding in findings.values()}
        assert len(remedies) == 1, findings
        (remedy,) = remedies
        assert all(word in remedy for word in words), remedy
        return findings

    async def doubt(self, *words: str) -> None:
        """Nothing is broken, and what is doubtful names this step."""
        assert "bad" not in {finding["verdict"] for finding in await self.doctor()}
        await self.next_step(*words, verdict="doubtful")


@pytest.fixture(params=["rooms", "directory"])
async def onboarding(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Onboarding]:
    """A company: rooms and people, and nothing of placed."""
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_workspace(deployment.clock.now) as simulator,
    ):
        for room in ("Boardroom", "Library"):
            simulator.workspace.add_room(room, building="HQ")
        yield Onboarding(deployment, simulator, request.param)


async def test_from_nothing_the_doctor_leads_to_a_connection_that_holds(onboarding: Onboarding) -> None:
    # Nothing at all: everything waits for a configuration.
    code, program = await run(
        onboarding.deployment.folder, "doctor", "--json", "-c", onboarding.deployment.file
    )
    assert code == 1
    findings = json.loads("\n".join(program.out))["findings"]
    assert {f["blocked_by"] for f in findings if f["check"] != "settings"} == {"settings"}
    assert len({f["remedy"] for f in findings}) == 1

    # The kit and a configuration, and no key.
    await onboarding.set_up()
    bad = await onboarding.next_step("create-project.sh", "placed setup fabrikam")
    assert bad["files"]["blocked_by"] is None
    waiting = {"key", "dns", "tls", "clock", "token", "api", "consent", "rooms", "readable", "canaries"}
    assert {check for check, finding in bad.items() if finding["blocked_by"] == "files"} >= waiting

    # The steps of create-project.sh by hand, and the APIs are forgotten.
    await onboarding.create_account()
    bad = await onboarding.next_step("enable the API", f"calendar-json.googleapis.com?project={PROJECT}")
    assert bad["api"]["blocked_by"] is None
    await onboarding.enable_apis()

    # The list of rooms.
    if onboarding.source[0] == "customer":
        bad = await onboarding.next_step("admin role", ACCOUNT)
        assert "key" not in bad
        await onboarding.console("POST", f"accounts/{ACCOUNT}/directory-role")

    # The shares.
    bad = await onboarding.next_step("share the room's calendar", ACCOUNT)
    assert "404 notFound" in bad["readable"]["said"]
    await onboarding.share()

    # The fence: somebody's calendar was shared, too.
    await onboarding.share(CANARY)
    bad = await onboarding.next_step("take back the share")
    assert set(bad) == {"canaries"}
    await onboarding.console("DELETE", f"calendars/{CANARY}/rules/{ACCOUNT}")
    await onboarding.doubt("check that each canary exists", "fence.canaries_exist = true")
    await onboarding.set_up(**{"fence.canaries_exist": "yes"})

    # Somebody grants more than that.
    await onboarding.console("POST", f"accounts/{ACCOUNT}/delegation", {"scopes": [EVENTS]})
    findings = [f for f in await onboarding.doctor() if f["verdict"] != "good"]
    assert {f["check"] for f in findings} == {"canaries"}
    assert any("Domain-wide delegation" in f["remedy"] for f in findings)
    await onboarding.console("DELETE", f"accounts/{ACCOUNT}/delegation")
    await onboarding.share("Boardroom", "writer")
    findings = [f for f in await onboarding.doctor() if f["verdict"] != "good"]
    assert any('share them as "See all event details"' in f["remedy"] for f in findings)
    await onboarding.share("Boardroom")

    code, program = await run(onboarding.deployment.folder, "doctor", "-c", onboarding.deployment.file)
    *checks, summary = [line for line in program.out if line]
    assert {line[0] for line in checks} == {"✓"}, program.out
    assert code == 0
    assert summary.endswith(" 0 ! 0 ✗")
    assert CANARY not in "\n".join(program.out)
    assert [line.split()[2].rstrip(":") for line in checks if line.split()[1] == "fabrikam"] == [
        *("files", "key", "dns", "tls", "clock", "token", "api", "consent", "rooms", "readable"),
        *("canaries", "titles", "private", "acceptance", "zones"),
    ]


async def test_consent_waits_until_every_room_is_shared(onboarding: Onboarding) -> None:
    await onboarding.set_up()
    await onboarding.create_account()
    await onboarding.enable_apis()
    await onboarding.console("POST", f"accounts/{ACCOUNT}/directory-role")
    file = onboarding.deployment.file

    code, program = await run(onboarding.deployment.folder, "consent", "--link", "-c", file)
    assert code == 0
    assert program.out[0] == "fabrikam: no consent page is needed for this connection."
    assert ACCOUNT in "\n".join(program.out)

    code, program = await run(
        onboarding.deployment.folder, "consent", "--wait", "--timeout", "1s", "-c", file
    )
    assert code == 1
    assert "0 of 2 rooms can be read" in "\n".join(program.err)
    await onboarding.share()
    code, program = await run(onboarding.deployment.folder, "consent", "--wait", "-c", file)
    assert code == 0, program.err
    assert "every room can be read" in "\n".join(program.out)


async def test_disconnect_prints_how_to_take_the_grant_back(onboarding: Onboarding) -> None:
    await onboarding.set_up()
    await onboarding.create_account()
    code, program = await run(
        onboarding.deployment.folder, "disconnect", "fabrikam", "--yes", "-c", onboarding.deployment.file
    )
    assert code == 0, program.err
    printed = "\n".join(program.out)
    assert "unshareRooms" in printed
    assert f"gcloud iam service-accounts delete {ACCOUNT}" in printed
