"""No secret, address, title or name of a Google Workspace appears in any output of the program."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Fault, Kind, Role, Where
from tests.support.acting_panels import ALLOWED, panels_file, post
from tests.support.deployment import Deployment
from tests.support.google_workspace import connection_toml, make_key_file, simulated_workspace
from tests.support.placed_process import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.google_workspace import WatchedWorkspace

TITLES = ("Salary review", "Acquisition of Contoso")
ORGANIZER = "Grace Quillfeather"
HOUR = timedelta(hours=1)
FAULTS = (
    Fault(kind=Kind.STATUS, status=403, reason="forbidden"),
    Fault(kind=Kind.BAD_EVENT, detail="no_times"),
    Fault(kind=Kind.WRONG_TYPES, detail="event_is_string"),
    Fault(kind=Kind.HTML),
    Fault(kind=Kind.TRUNCATED, where=Where.BATCH),
    Fault(kind=Kind.DROP, where=Where.API),
    Fault(kind=Kind.CREDENTIALS, where=Where.API, times=1),
    Fault(kind=Kind.STATUS, where=Where.BATCH, status=429, reason="rateLimitExceeded", retry_after="0.2"),
)
STATE = "placed/rooms/aquarium/state"
PAGES = (
    "/",
    "/rooms/aquarium",
    "/api/v1/rooms",
    "/api/v1/connections",
    "/api/v1/connections/fabrikam/rooms",
    "/healthz",
    "/readyz",
    "/metrics",
)
# Tokens, assertions, and addresses of rooms and people; that of a service account is named where it helps.
_GIVEN_AWAY = re.compile(r"ya29\.|eyJ[\w-]{20}|PRIVATE KEY|@resource\.calendar|@fabrikam\.example")


class GoogleBuilding:
    """Two rooms that are read as one service account and written as another."""

    def __init__(self, deployment: Deployment, simulator: WatchedWorkspace, keys: list[Path]) -> None:
        self.deployment = deployment
        self.simulator = simulator
        self.workspace = simulator.workspace
        self.keys = keys

    def given_away(self, text: str) -> list[str]:
        """What of all that is secret is in the text, and of all people."""
        pem = [json.loads(key.read_text())["private_key"].splitlines()[1:-1] for key in self.keys]
        words = (*TITLES, ORGANIZER, *ORGANIZER.split(), *(line for lines in pem for line in lines))
        return [*(word for word in words if word in text), *_GIVEN_AWAY.findall(text)]


@pytest.fixture
async def building(tmp_path: Path) -> AsyncIterator[GoogleBuilding]:
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_workspace(deployment.clock.now) as simulator,
    ):
        workspace = simulator.workspace
        rooms = [workspace.add_room(name) for name in ("Aquarium", "Library")]
        reader, writer = (workspace.add_service_account(name) for name in ("placed", "placed-actions"))
        workspace.share_rooms(reader, Role.READER)
        workspace.share_rooms(writer, Role.WRITER)
        keys = [
            make_key_file(simulator, account, tmp_path / f"{account.email.partition('@')[0]}.json")
            for account in (reader, writer)
        ]
        actions = [
            "[connections.actions]",
            f"key_file = {json.dumps(str(keys[1]))}",
            f"allow = {json.dumps(list(ALLOWED))}",
            *(f'[rooms."{room.address}"]\nname = "{room.name}"' for room in rooms),
        ]
        deployment.connections = [connection_toml(simulator, keys[0], actions="\n".join([*actions, ""]))]
        panels = str(panels_file(deployment.folder))
        http = {"listen": "127.0.0.1:0", "panel_tokens": panels}
        deployment.configure(polling={"interval": "100ms"}, http=http)
        yield GoogleBuilding(deployment, simulator, keys)


async def test_a_busy_day_gives_nothing_away(building: GoogleBuilding) -> None:
    deployment, workspace = building.deployment, building.workspace
    now = deployment.clock.now()
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        first = workspace.book("Aquarium", now - HOUR, now + HOUR, summary=TITLES[0], organizer=ORGANIZER)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "busy")
        workspace.book("Library", now - HOUR, now + HOUR, summary=TITLES[1], visibility="private")
        workspace.delete(first)
        seen = len(panel.arrivals)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "free", after=seen)
        for fault in FAULTS:
            workspace.faults.add(fault)
            await building.simulator.asked(2)
            workspace.faults.clear()
        reader, _ = workspace.accounts.values()
        workspace.unshare("Library", reader)
        await building.simulator.asked(4)
        workspace.faults.lost_answer(times=1)
        until = now.replace(second=0, microsecond=0) + HOUR
        seen = len(panel.arrivals)
        assert (await post(web.url, "book", room="aquarium", until=until))[0] in (200, 202)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "busy", after=seen)
        streamed = [(await web.get(page))[1] for page in PAGES]
        streamed += [f"{a.topic} {a.payload!r} {a.properties}" for a in panel.arrivals]
    assert {line["reason"] for line in running.logged("rooms.became_unreadable")} >= {
        "not_found",
        "malformed",
    }
    assert running.logged("action.audit")
    assert building.given_away("\n".join(streamed)) == []
    assert building.given_away(str(running.logs)) == []


async def test_the_commands_give_nothing_away(building: GoogleBuilding) -> None:
    deployment, workspace = building.deployment, building.workspace
    now = deployment.clock.now()
    workspace.book("Aquarium", now, now + HOUR, summary=TITLES[0], organizer=ORGANIZER)
    config = ("-c", str(deployment.file))
    printed: list[str] = []
    for refused in (False, True):
        if refused:
            for room in ("Aquarium", "Library"):
                workspace.unshare(room, next(iter(workspace.accounts.values())))
        for command in (("check",), ("doctor",), ("doctor", "--json"), ("consent", "fabrikam", "--status")):
            code, program = await run(deployment.folder, *command, *config)
            printed += [" ".join(command), *program.out, *program.err]
            assert code in (0, 1, 3), printed
    text = "\n".join(printed)
    assert [word for word in building.given_away(text) if not word.startswith("@")] == []
    assert "Traceback" not in text
