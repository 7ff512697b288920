"""`placed doctor` with a real tenant, broker and daemon: every link, and each of them broken once."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from placed.domain.consent_record import ConsentRecord, Source
from placed.driver import Consent
from placed_microsoft365.simulator import Tenant
from tests.end_to_end.service.healthy_site import (
    BAD,
    CERTIFICATE,
    DOUBTFUL,
    EVERYTHING,
    GOOD,
    GRACE,
    PASSWORD,
    HealthySite,
    edit_client_id,
    finding,
)
from tests.end_to_end.service.startup_errors import edit
from tests.support.deployment import ROLES, Deployment
from tests.support.mosquitto import Subscriber
from tests.support.placed_process import run

# --- all good -----------------------------------------------------------------------------------------------


async def test_where_all_is_well_everything_is_good(site: HealthySite) -> None:
    chart = await site.examine()
    assert tuple(f.check for _, f in chart.findings) == EVERYTHING
    assert [f for _, f in chart.findings if f.verdict is not GOOD or f.remedy or f.blocked_by] == []
    assert chart.holds
    assert site.deployment.logins == 2  # of the examination, and of the driver that reads
    assert finding(chart, "readable").text == "2 rooms can be read"
    assert finding(chart, "canaries").text == "every mailbox outside of the fence is refused"


async def test_a_daemon_that_runs_is_not_disturbed_and_nothing_is_changed(site: HealthySite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    site.deployment.configure(**site.tables, http={"listen": listen})
    async with site.deployment.daemon() as running:
        publisher = running.daemon.publisher
        site.note(ConsentRecord(Consent.GRANTED, site.deployment.clock.now(), source=Source.OBSERVED))
        before = site.files()
        chart = await site.examine()
        assert chart.holds
        assert finding(chart, "http").text == f"{listen}: a running placed answers"
        assert finding(chart, "consent").text.startswith("granted since ")
        assert site.files() == before
        assert publisher.connected
        assert publisher.reconnects == 0
        assert not running.task.done()


async def test_the_doctor_can_check_one_connection(site: HealthySite) -> None:
    site.tenant.revoke(site.connect("fabrikam"), *ROLES)
    site.deployment.configure(**site.tables)
    both = await site.examine()
    assert {name for name, f in both.findings if f.verdict is BAD} == {"fabrikam"}
    contoso = await site.examine(only="contoso")
    assert [name for name, _ in contoso.findings] == [None] + ["contoso"] * 13
    assert contoso.holds
    assert not (await site.examine(only="fabrikam")).holds


async def test_a_large_building_is_read_in_batches_and_the_progress_is_shown(tmp_path: Path) -> None:
    rooms = 2100
    tenant = Tenant()
    for number in range(rooms):
        tenant.add_room(f"room-{number}")
    reported: list[tuple[str, int, int]] = []
    async with Deployment.open(tmp_path, tenant) as deployment:
        deployment.tenant.add_person(GRACE)
        site = HealthySite.__new__(HealthySite)
        site.deployment, site.tenant = deployment, tenant
        app = site.connect("contoso")
        group = tenant.add_group("placed-rooms", members=[room.address for room in tenant.rooms()[:-7]])
        tenant.restrict(app, group)
        deployment.configure()
        chart = await site.examine(only="contoso", progress=lambda *step: reported.append(step))
        batches = [len(batch) for batch in deployment.batches]
    assert chart.holds
    assert finding(chart, "rooms").text == "2,100 found"
    assert finding(chart, "readable").text.startswith("2,093 of 2,100 rooms can be read; 7 refused (403 ")
    assert finding(chart, "readable").text.endswith(
        "room-2093, room-2094, room-2095, room-2096, room-2097 and 2 more"
    )
    assert reported == [("contoso", done, rooms) for done in range(rooms + 1)]
    assert batches == [20] * 107  # and one beside the canaries, and one for a look at the habits


async def test_sensors_come_last_and_their_rooms_are_compared_with_those_that_are_listed(
    site: HealthySite,
) -> None:
    tables = [
        f'[[sensors]]\ntopic = "z/{room}"\nroom = "{room}"\npresence = "occupancy"\n'
        for room in ("boardroom", "bordroom")
    ]
    site.deployment.file.write_text("".join([site.deployment.file.read_text(), *tables]))
    login = {"username": "placed", "password": PASSWORD}
    async with Subscriber(site.deployment.broker, **login) as sensor:
        for room in ("boardroom", "bordroom"):
            await sensor.publish(f"z/{room}", '{"occupancy":true}', retain=True)
    steps: list[tuple[int, int]] = []
    chart = await site.examine(sensor_progress=lambda *step: steps.append(step))
    assert tuple(f.check for _, f in chart.findings) == (*EVERYTHING, "sensors", "sensors")
    good, doubtful = (f for _, f in chart.findings[-2:])
    assert (good.verdict, good.text) == (GOOD, "2 sensors sent a message that is read")
    assert doubtful.verdict is DOUBTFUL
    assert doubtful.text.endswith("sensors[1].room: no connection has the room: bordroom")
    assert steps == [(0, 2), (1, 2), (2, 2)]


async def test_a_time_to_wait_that_is_none_is_a_matter_of_usage(site: HealthySite) -> None:
    code, program = await run(site.deployment.folder, "doctor", "--wait", "soon")
    assert code == 2
    assert "'soon' is not a duration such as 60s or 10m" in " ".join(program.err)


# --- the command --------------------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "good", "doubtful", "bad", "findings"],
    "properties": {
        "schema": {"const": 1},
        "good": {"type": "integer"},
        "doubtful": {"type": "integer"},
        "bad": {"type": "integer"},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["connection", "check", "verdict", "said", "remedy", "blocked_by"],
                "properties": {
                    "connection": {"type": ["string", "null"]},
                    "check": {"type": "string", "pattern": "^[a-z_]+$"},
                    "verdict": {"enum": ["good", "doubtful", "bad"]},
                    "said": {"type": "string", "minLength": 1},
                    "remedy": {"type": ["string", "null"], "minLength": 1},
                    "blocked_by": {"type": ["string", "null"], "minLength": 1},
                },
            },
        },
    },
}


async def test_the_command_prints_a_line_a_finding_and_is_done(site: HealthySite) -> None:
    code, program = await run(site.deployment.folder, "doctor", "-c", site.deployment.file)
    assert (code, program.err) == (0, [])
    assert program.out[-1] == f"{len(EVERYTHING)} ✓ 0 ! 0 ✗"
    assert len(program.out) == len(EVERYTHING) + 1
    assert "✓ contoso token: signed in to contoso.example" in program.out


async def test_the_command_fails_where_a_link_is_broken(site: HealthySite) -> None:
    edit_client_id(site)
    code, program = await run(site.deployment.folder, "doctor", "contoso", "-c", site.deployment.file)
    assert (code, program.err) == (1, [])
    (token,) = (line for line in program.out if " token: " in line)
    assert token.startswith("✗ contoso token: sign-in refused: AADSTS700016 -> client_id is not known")
    assert "✗ contoso rooms: not tried -> first: token" in program.out
    assert program.out[-1] == "6 ✓ 0 ! 8 ✗"


async def test_an_invalid_configuration_is_a_failed_check_too(site: HealthySite) -> None:
    edit(site.deployment, "[mqtt]", "[mqtt]\nurll = 1")
    code, program = await run(site.deployment.folder, "doctor", "-c", site.deployment.file)
    assert (code, program.err) == (1, [])
    assert program.out[0].startswith(
        f"✗ settings: {site.deployment.file}: mqtt.urll: unknown key; did you mean url?"
    )
    assert program.out[0].endswith(f"-> correct mqtt.urll in {site.deployment.file}")
    assert "✗ token: not tried -> first: settings" in program.out


async def test_a_connection_that_is_not_there_is_a_matter_of_usage(site: HealthySite) -> None:
    code, program = await run(site.deployment.folder, "doctor", "fabrikam", "-c", site.deployment.file)
    assert code == 2
    assert "contoso" in "\n".join(program.err)


async def test_the_output_contains_no_secret_and_no_person(site: HealthySite) -> None:
    site.tenant.lift_restrictions(site.app)
    site.tenant.book(
        "boardroom", site.tenant.now(), site.tenant.now() + timedelta(hours=1), organizer="Grace Quillfeather"
    )
    site.connect("fabrikam", rooms=["boardroom", "nowhere"])
    site.deployment.configure(**site.tables, privacy={"show": "everything"})
    output = []
    for arguments in ((), ("--json",)):
        _, program = await run(site.deployment.folder, "doctor", *arguments, "-c", site.deployment.file)
        output += [*program.out, *program.err]
    document = json.loads("\n".join(program.out))
    jsonschema.validate(document, SCHEMA)
    assert document["bad"] == 2  # the canary, twice
    assert document["good"] + document["doubtful"] + document["bad"] == len(document["findings"])
    everything = "\n".join(output)
    key = [line for line in CERTIFICATE.decode().splitlines() if not line.startswith("-----")]
    tokens = [token for issued in site.tenant.tokens._issued.values() for token in issued]
    assert tokens
    for secret in (PASSWORD, *key, *tokens, "Quillfeather", "quillfeather", "@"):
        assert secret not in everything


@pytest.mark.parametrize("colours", [True, False])
async def test_at_a_terminal_there_is_a_table(site: HealthySite, *, colours: bool) -> None:
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        environment.pop(name, None)
    if not colours:
        environment["NO_COLOR"] = "1"
    ours, theirs = os.openpty()
    program = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("placed"),
        *("doctor", "-c", site.deployment.file, "--state-directory", site.deployment.state_directory),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = await asyncio.to_thread(read_all, ours)
    assert await program.wait() == 0
    assert "reading the rooms" in shown
    assert ("\x1b[32m✓" in shown) == colours
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    lines = [line.rstrip() for line in plain.splitlines()]
    assert [line.strip() for line in lines if line.strip() in ("this machine", "contoso", "broker")] == [
        "this machine",
        "contoso",
        "broker",
    ]
    assert any(re.fullmatch(r"✓ +token +signed in to contoso.example", line) for line in lines)
    assert lines[-1] == f"{len(EVERYTHING)} ✓ 0 ! 0 ✗"


def read_all(terminal: int) -> str:
    """Reads until the writer has closed it."""
    content = b""
    try:
        while chunk := os.read(terminal, 65536):
            content += chunk
    except OSError:  # EIO: nobody has the other end any more
        pass
    os.close(terminal)
    return content.decode()
