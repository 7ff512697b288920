"""The script for Apps Script, run for real in Node.js with a little Calendar and directory."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.drivers.google.setup_kit.apps_script import NODE, Workspace
from tests.drivers.google.setup_kit.sample_kits import ACCOUNT, BOARDROOM, LIBRARY, VARIANTS, texts
from tests.support.deadlines import DEADLINE

RULE = f"user:{ACCOUNT}"
SHARED = [variant for variant in VARIANTS if "delegation" not in variant]


@pytest.mark.parametrize("variant", SHARED)
def test_the_script_is_javascript_and_its_manifest_json(variant: str) -> None:
    script = texts(variant)["share-rooms.gs"]
    ran = subprocess.run(
        [NODE, "--check", "-"], input=script, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert ran.returncode == 0, ran.stderr
    manifest = json.loads(texts(variant)["appsscript.json"])
    services = {one["userSymbol"] for one in manifest["dependencies"]["enabledAdvancedServices"]}
    assert services == ({"Calendar"} if "rooms" in VARIANTS[variant] else {"Calendar", "AdminDirectory"})
    # It can change the sharing of calendars, and read no event.
    assert len(manifest["oauthScopes"]) == len(services)
    assert manifest["oauthScopes"][0].endswith("/auth/calendar.acls")
    assert all("events" not in scope for scope in manifest["oauthScopes"])


def test_sharing_makes_the_account_a_reader_of_every_room_and_sends_no_mail() -> None:
    workspace = Workspace(calendars={BOARDROOM: {"domain:fabrikam.example": "reader"}, LIBRARY: {}})
    workspace.run("shareRooms")
    assert workspace.raised is None
    assert workspace.calendars == {
        BOARDROOM: {"domain:fabrikam.example": "reader", RULE: "reader"},
        LIBRARY: {RULE: "reader"},
    }
    assert [call[2] for call in workspace.changes] == [{"sendNotifications": False}] * 2
    assert workspace.logged[-1] == "2 rooms: 2 shared, 0 failed"


def test_sharing_again_changes_nothing() -> None:
    workspace = Workspace()
    workspace.run("shareRooms")
    workspace.run("shareRooms")
    assert workspace.changes == []
    assert workspace.logged[-1] == "2 rooms: 2 shared already, 0 failed"


@pytest.mark.parametrize("role", ["writer", "owner", "writerWithoutPrivateAccess", "freeBusyReader", "none"])
def test_another_role_of_the_account_becomes_reader(role: str) -> None:
    workspace = Workspace(calendars={BOARDROOM: {RULE: role}, LIBRARY: {RULE: "reader"}})
    workspace.run("shareRooms")
    assert workspace.calendars[BOARDROOM] == {RULE: "reader"}
    assert len(workspace.changes) == 1


@pytest.mark.parametrize(
    ("rehearsal", "real"), [("rehearseShare", "shareRooms"), ("rehearseUnshare", "unshareRooms")]
)
def test_a_rehearsal_lists_what_the_real_one_does_and_changes_nothing(rehearsal: str, real: str) -> None:
    start = {BOARDROOM: {RULE: "writer"}, LIBRARY: {"user:ada@fabrikam.example": "owner"}}
    workspace = Workspace(calendars=dict(start))
    workspace.run(rehearsal)
    assert workspace.calendars == start
    assert workspace.changes == []
    lines = workspace.logged
    workspace.run(real)
    assert {line.partition(":")[0] for line in lines} == {line.partition(":")[0] for line in workspace.logged}
    assert sum("would be" in line for line in lines[:-1]) == len(workspace.changes)


def test_taking_back_leaves_everybody_else_s_access_as_it_is() -> None:
    others = {"domain:fabrikam.example": "reader", "user:ada@fabrikam.example": "owner"}
    workspace = Workspace(calendars={BOARDROOM: {**others, RULE: "reader"}, LIBRARY: dict(others)})
    workspace.run("unshareRooms")
    assert workspace.raised is None
    assert workspace.calendars == {BOARDROOM: others, LIBRARY: others}
    workspace.run("unshareRooms")
    assert workspace.changes == []


def test_rooms_come_from_every_page_of_the_directory() -> None:
    rooms = [f"c_{n}@resource.calendar.google.com" for n in range(5)]
    workspace = Workspace(calendars={room: {} for room in rooms}, pages=[[rooms[0].upper()], [], rooms[1:]])
    workspace.run("shareRooms", "query")
    assert workspace.raised is None
    assert all(rules == {RULE: "reader"} for rules in workspace.calendars.values())
    first = next(call for call in workspace.calls if call[0] == "rooms")
    assert first[1] == "my_customer"
    assert first[2]["query"] == VARIANTS["query"]["room_query"]


def test_a_group_is_shared_with_as_a_group() -> None:
    workspace = Workspace()
    workspace.run("shareRooms", "group")
    assert workspace.calendars[LIBRARY] == {"group:placed-rooms@fabrikam.example": "reader"}


def test_a_room_that_fails_does_not_keep_the_others_from_being_shared() -> None:
    missing = Workspace(calendars={LIBRARY: {}})
    missing.run("shareRooms")
    assert missing.calendars[LIBRARY] == {RULE: "reader"}
    assert missing.raised == "1 of 2 rooms failed; the log names them"
    assert any(line.startswith(f"{BOARDROOM}: ") and "Not Found" in line for line in missing.logged)
    refused = Workspace(calendars={BOARDROOM: "broken", LIBRARY: {}})
    refused.run("shareRooms")
    assert refused.calendars[LIBRARY] == {RULE: "reader"}
    assert any("Forbidden" in line for line in refused.logged)


def test_a_run_that_takes_too_long_stops_before_google_ends_it_and_the_next_goes_on() -> None:
    rooms = [f"c_{n}@resource.calendar.google.com" for n in range(100)]
    # A hundred rooms would take 15 minutes, and looking at them alone more than five.
    workspace = Workspace(calendars={room: {} for room in rooms}, pages=[rooms], slow=3200)
    workspace.run("shareRooms", "directory")
    shared = sum(rules == {RULE: "reader"} for rules in workspace.calendars.values())
    assert 20 < shared < 100
    assert any(f"{100 - shared} rooms are left: run it again" in line for line in workspace.logged)
    for _ in range(3):
        workspace.run("shareRooms", "directory")
    assert all(rules == {RULE: "reader"} for rules in workspace.calendars.values())
    assert workspace.kept == {}
