"""`placed doctor` with a real tenant, broker and daemon: every link, and each of them broken once."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from placed.doctor import Chart, examine
from placed.domain.consent_record import ConsentRecord, Source
from placed.driver import Consent, Finding, Surroundings, Verdict
from placed.settings.loader import load
from placed.store import Journal
from placed_microsoft365.simulator import Tenant, make_client_certificate
from tests.end_to_end.service.startup_errors import edit
from tests.support.deployment import ROLES, Deployment
from tests.support.mosquitto import Authority, Mosquitto
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from placed_microsoft365.simulator import App

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
PASSWORD, GRACE = "hush-broker-password", "grace.quillfeather@contoso.example"
CERTIFICATE = make_client_certificate(key_size=2048)
FENCE = f'[connections.fence]\ncanaries = ["{GRACE}"]\n'
EVERYTHING = (
    *("settings", "state", "time_zones", "files", "http"),
    *("files", "certificate", "dns", "tls", "clock", "token", "claims", "consent"),
    *("rooms", "readable", "canaries", "titles", "private"),
    *("broker", "publish", "subscribe"),
)
AFTER_TOKEN = ["claims", "consent", "rooms", "readable", "canaries", "titles", "private"]


class Ward:
    """A deployment without errors, and what the doctor finds in it.

    Attributes:
        app: the registration of the connection contoso.
        group: that it is fenced to.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.tenant = deployment.tenant
        self.app = self.connect("contoso")
        self.group = deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
        deployment.tenant.restrict(self.app, self.group)
        deployment.configure(**self.tables)

    @property
    def tables(self) -> dict[str, Mapping[str, object]]:
        folder = self.deployment.folder
        return {
            "mqtt": {
                "url": self.deployment.broker.url,
                "username": "placed",
                "password_file": str(folder / "password"),
            },
        }

    def connect(self, name: str, more: str = FENCE, **settings: Any) -> App:
        """A connection with a certificate, for its owner alone."""
        certificate = self.deployment.folder / f"{name}.pem"
        write_secret(certificate, CERTIFICATE)
        app = self.deployment.connect(name, certificate=certificate, more=more, **settings)
        app.certificates = self.tenant.register_app(certificates=[CERTIFICATE]).certificates
        return app

    async def examine(
        self,
        *,
        ahead: float = 0.0,
        details: bool = False,
        only: str | None = None,
        progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
    ) -> Chart:
        """In this process, with a clock that is so many seconds ahead."""
        configuration = load(self.deployment.file)
        surroundings = Surroundings(
            now=lambda: self.deployment.clock.now() + timedelta(seconds=ahead),
            concurrency=8,
            details=details,
            version="1.2.3",
        )
        reported = examine(
            configuration, surroundings, self.deployment.state_directory, only=only, progress=progress
        )
        names = [connection.name for connection in configuration.settings.connections]
        return Chart.of([item async for item in reported], names)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """All that is in the state directory, but for what SQLite has beside an open file."""
        return {
            str(path): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in self.deployment.state_directory.rglob("*")
            if path.is_file() and path.suffix not in (".db-wal", ".db-shm")
        }

    def note(self, record: ConsentRecord) -> None:
        """What is known of consent."""
        with closing(Journal(self.deployment.state_directory)) as journal:
            journal.consent("contoso").save(record)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    """Two rooms, a group around them, a person outside, a broker that wants a login."""
    async with Deployment.open(tmp_path) as deployment:
        await deployment.broker.kill()  # the one that lets everybody in
        deployment.broker = Mosquitto(tmp_path / "closed", users={"placed": PASSWORD})
        await deployment.broker.start()
        password = tmp_path / "password"
        write_secret(password, PASSWORD)
        deployment.tenant.add_person(GRACE, name="Grace Quillfeather")
        yield Ward(deployment)


def broken(chart: Chart) -> dict[str, str]:
    """What is broken, with the next step, in order; what only waits is left out."""
    return {f.check: f.remedy for _, f in chart.findings if f.verdict is BAD and not f.blocked_by}


def waiting(chart: Chart) -> dict[str, str]:
    """What waits for which link; its step is that of the link."""
    steps = {f.check: f.remedy for _, f in chart.findings if not f.blocked_by}
    waits = [f for _, f in chart.findings if f.blocked_by]
    assert all(f.verdict is BAD and f.remedy == steps[f.blocked_by] for f in waits)
    return {f.check: f.blocked_by for f in waits}


def finding(chart: Chart, check: str) -> Finding:
    """The only one of this check, or the gravest."""
    found = [f for _, f in chart.findings if f.check == check]
    return max(found, key=lambda f: list(Verdict).index(f.verdict))


# --- all good -----------------------------------------------------------------------------------------------


async def test_where_all_is_well_everything_is_good(ward: Ward) -> None:
    chart = await ward.examine()
    assert tuple(f.check for _, f in chart.findings) == EVERYTHING
    assert [f for _, f in chart.findings if f.verdict is not GOOD or f.remedy or f.blocked_by] == []
    assert chart.holds
    assert ward.deployment.logins == 2  # of the examination, and of the driver that reads
    assert finding(chart, "readable").text == "2 rooms can be read"
    assert finding(chart, "canaries").text == "every mailbox outside of the fence is refused"


async def test_a_daemon_that_runs_is_not_disturbed_and_nothing_is_changed(ward: Ward) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    ward.deployment.configure(**ward.tables, http={"listen": listen})
    async with ward.deployment.daemon() as running:
        publisher = running.daemon.publisher
        ward.note(ConsentRecord(Consent.GRANTED, ward.deployment.clock.now(), source=Source.OBSERVED))
        before = ward.files()
        chart = await ward.examine()
        assert chart.holds
        assert finding(chart, "http").text == f"{listen}: a running placed answers"
        assert finding(chart, "consent").text.startswith("granted since ")
        assert ward.files() == before
        assert publisher.connected
        assert publisher.reconnects == 0
        assert not running.task.done()


async def test_the_doctor_can_check_one_connection(ward: Ward) -> None:
    ward.tenant.revoke(ward.connect("fabrikam"), *ROLES)
    ward.deployment.configure(**ward.tables)
    both = await ward.examine()
    assert {name for name, f in both.findings if f.verdict is BAD} == {"fabrikam"}
    contoso = await ward.examine(only="contoso")
    assert [name for name, _ in contoso.findings] == [None] + ["contoso"] * 13
    assert contoso.holds
    assert not (await ward.examine(only="fabrikam")).holds


async def test_a_large_building_is_read_in_batches_and_the_progress_is_shown(tmp_path: Path) -> None:
    rooms = 2100
    tenant = Tenant()
    for number in range(rooms):
        tenant.add_room(f"room-{number}")
    reported: list[tuple[str, int, int]] = []
    async with Deployment.open(tmp_path, tenant) as deployment:
        deployment.tenant.add_person(GRACE)
        ward = Ward.__new__(Ward)
        ward.deployment, ward.tenant = deployment, tenant
        app = ward.connect("contoso")
        group = tenant.add_group("placed-rooms", members=[room.address for room in tenant.rooms()[:-7]])
        tenant.restrict(app, group)
        deployment.configure()
        chart = await ward.examine(only="contoso", progress=lambda *step: reported.append(step))
        batches = [len(batch) for batch in deployment.batches]
    assert chart.holds
    assert finding(chart, "rooms").text == "2,100 found"
    assert finding(chart, "readable").text.startswith("2,093 of 2,100 rooms can be read; 7 refused (403 ")
    assert finding(chart, "readable").text.endswith(
        "room-2093, room-2094, room-2095, room-2096, room-2097 and 2 more"
    )
    assert reported == [("contoso", done, rooms) for done in range(rooms + 1)]
    assert batches == [20] * 107  # and one beside the canaries, and one for a look at the habits


# --- each link broken ---------------------------------------------------------------------------------------


async def test_an_expired_certificate_is_the_next_step(ward: Ward) -> None:
    began = ward.deployment.clock.now() - timedelta(days=400)
    expired = make_client_certificate(key_size=2048, valid_from=began, lifetime=timedelta(days=365))
    (ward.deployment.folder / "contoso.pem").write_bytes(expired)
    chart = await ward.examine()
    assert list(broken(chart)) == ["certificate"]
    assert "placed setup contoso --renew" in broken(chart)["certificate"]
    assert waiting(chart) == dict.fromkeys(["token", *AFTER_TOKEN], "certificate")
    assert ward.deployment.logins == 0


async def test_world_readable_secrets_are_reported_and_not_used(ward: Ward) -> None:
    password, certificate = ward.deployment.folder / "password", ward.deployment.folder / "contoso.pem"
    for path in (password, certificate):
        path.chmod(0o644)
    chart = await ward.examine()
    reported = [(f.check, f.remedy) for _, f in chart.findings if f.verdict is BAD and not f.blocked_by]
    assert reported[:2] == [("files", f"chmod 600 {password}"), ("files", f"chmod 600 {certificate}")]
    assert [check for check, _ in reported[2:]] == ["broker"]
    assert reported[2][1].startswith(f"chmod o-rwx {password}")
    assert {by for check, by in waiting(chart).items() if check in ("certificate", *AFTER_TOKEN)} == {"files"}
    assert ward.deployment.logins == 0


async def test_a_sign_in_that_is_refused_is_tried_once(ward: Ward) -> None:
    edit_client_id(ward)
    chart = await ward.examine()
    assert list(broken(chart)) == ["token"]
    assert "client_id is not known in this tenant" in broken(chart)["token"]
    assert waiting(chart) == dict.fromkeys(AFTER_TOKEN, "token")
    assert ward.deployment.logins == 1
    assert ward.deployment.batches == []


def edit_client_id(ward: Ward) -> None:
    text = ward.deployment.file.read_text()
    ward.deployment.file.write_text(text.replace(ward.app.client_id, "12345678-1234-1234-1234-123456789abc"))


async def test_services_with_a_certificate_of_another_ca_are_reported(ward: Ward) -> None:
    stranger = Authority(ward.deployment.folder / "stranger").ca_file
    text = ward.deployment.file.read_text()
    ward.deployment.file.write_text(text.replace(str(ward.deployment.simulator.ca_file), str(stranger)))
    chart = await ward.examine()
    assert broken(chart) == {"tls": "set ca_file to the CA that signed it, or correct the address"}
    assert waiting(chart) == dict.fromkeys(["clock", "token", *AFTER_TOKEN], "tls")


async def test_unreachable_services_are_reported(ward: Ward) -> None:
    async with ward.deployment.outage():
        chart = await ward.examine()
    assert list(broken(chart)) == ["tls"]
    assert waiting(chart) == dict.fromkeys(["clock", "token", *AFTER_TOKEN], "tls")


async def test_a_wrong_clock_is_reported(ward: Ward) -> None:
    assert broken(await ward.examine(ahead=600)) == {
        "clock": "set this machine's clock: timedatectl set-ntp true"
    }
    slightly = await ward.examine(ahead=90)
    assert slightly.holds
    assert finding(slightly, "clock").verdict is DOUBTFUL


async def test_without_consent_the_next_step_is_to_get_it(ward: Ward) -> None:
    ward.tenant.revoke(ward.app, *ROLES)
    chart = await ward.examine()
    assert list(broken(chart)) == ["claims"]
    assert "placed consent contoso" in broken(chart)["claims"]
    behind = ["consent", "readable", "canaries", "titles", "private"]
    assert waiting(chart) == dict.fromkeys(behind, "claims")


async def test_the_doctor_waits_for_a_requested_consent(ward: Ward) -> None:
    ward.tenant.revoke(ward.app, *ROLES)
    now = ward.deployment.clock.now()
    record = ConsentRecord(
        Consent.REQUESTED, now, now + timedelta(days=30), Source.REQUEST, "Grace Quillfeather"
    )
    ward.note(record)
    chart = await ward.examine()
    assert broken(chart)["consent"] == "wait for the administrator's answer: placed consent contoso --wait"
    assert "Quillfeather" not in str(chart)


async def test_without_the_permission_to_find_the_rooms_the_next_step_is_consent(ward: Ward) -> None:
    ward.connect("fabrikam", room_group="placed-rooms@contoso.example", roles=["Calendars.Read"])
    ward.deployment.configure(**ward.tables)
    chart = await ward.examine(only="fabrikam")
    assert finding(chart, "claims").text == "not granted: GroupMember.Read.All"
    behind = ["consent", "rooms", "readable", "canaries", "titles", "private"]
    assert waiting(chart) == dict.fromkeys(behind, "claims")


async def test_a_group_without_rooms_is_reported(ward: Ward) -> None:
    ward.tenant.add_group("nobody")
    ward.connect("fabrikam", room_group="nobody@contoso.example")
    ward.deployment.configure(**ward.tables)
    chart = await ward.examine(only="fabrikam")
    assert list(broken(chart)) == ["rooms"]
    assert "put room mailboxes into the group" in broken(chart)["rooms"]
    behind = ["consent", "readable", "canaries", "titles", "private"]
    assert waiting(chart) == dict.fromkeys(behind, "rooms")


async def test_rooms_without_an_address_are_named(ward: Ward) -> None:
    """The directory shows members by their ids alone, and their calendars are refused."""
    ward.tenant.hides_users = True
    app = ward.connect("fabrikam", room_group=ward.group.address)
    nobody = ward.tenant.add_group("nobody")
    ward.tenant.restrict(app, nobody)
    ward.deployment.configure(**ward.tables)
    chart = await ward.examine(only="fabrikam")
    first, second = [reported for _, reported in chart.findings if reported.check == "rooms"]
    assert (first.verdict, first.text) == (GOOD, "2 found")
    assert second.verdict is DOUBTFUL
    ids = sorted(room.user_id for room in ward.tenant.rooms())
    assert second.text == f"2 of 2 rooms listed without an address: {', '.join(ids)}"
    assert '[rooms."<object id>"]' in second.remedy


async def test_a_table_that_fits_no_room_is_named(ward: Ward) -> None:
    ward.deployment.connections.append('\n[rooms."typo@contoso.example"]\nname = "Typo"\n')
    ward.deployment.connections.append('[rooms."Library@contoso.example"]\nname = "Library"\n')
    ward.deployment.configure(**ward.tables)
    chart = await ward.examine()
    reported = [reported for _, reported in chart.findings if reported.check == "rooms"]
    assert [one.text for one in reported] == [
        "2 found",
        '[rooms."typo@contoso.example"] fits no room of any connection',
    ]
    code, program = await run(ward.deployment.folder, "check", "-c", ward.deployment.file)
    assert code == 0
    (line,) = [line for line in program.out if "[rooms." in line]
    assert "typo@contoso.example" in line


async def test_rooms_that_are_all_outside_the_fence_are_reported(ward: Ward) -> None:
    for room in ("boardroom", "library"):
        ward.tenant.remove_member(ward.group, room)
    chart = await ward.examine()
    assert list(broken(chart)) == ["readable"]
    assert "is it in the fence's group" in broken(chart)["readable"]
    assert waiting(chart) == dict.fromkeys(["consent", "canaries", "titles", "private"], "readable")
    assert "proves nothing" in finding(chart, "canaries").text


async def test_rooms_that_are_all_unknown_are_reported(ward: Ward) -> None:
    ward.tenant.restrict(ward.connect("fabrikam", rooms=["nowhere", "neverland"]), ward.group)
    ward.deployment.configure(**ward.tables)
    chart = await ward.examine(only="fabrikam")
    assert list(broken(chart)) == ["readable"]
    assert "0 of 2 rooms can be read; 2 not found" in finding(chart, "readable").text
    assert waiting(chart) == dict.fromkeys(["consent", "titles", "private"], "readable") | {
        "canaries": "readable"
    }


async def test_one_room_of_many_is_a_matter_to_look_at(ward: Ward) -> None:
    ward.tenant.remove_member(ward.group, "library")
    chart = await ward.examine()
    assert chart.holds
    reported = finding(chart, "readable")
    assert reported.verdict is DOUBTFUL
    assert reported.text.endswith(": library")
    assert reported.remedy.startswith("not in the fence's group, or not yet")


async def test_a_canary_that_can_be_read_breaks_the_chain(ward: Ward) -> None:
    ward.tenant.lift_restrictions(ward.app)
    chart = await ward.examine()
    assert list(broken(chart)) == ["canaries"]
    assert "fix the access policy" in broken(chart)["canaries"]
    assert "quillfeather" not in str(chart).lower()


async def test_a_readable_canary_is_reported_even_if_no_room_is_readable(ward: Ward) -> None:
    ward.connect("fabrikam", rooms=["nowhere"])
    ward.deployment.configure(**ward.tables)
    assert list(broken(await ward.examine(only="fabrikam"))) == ["readable", "canaries"]


async def test_a_fence_without_a_canary_or_with_excess_is_a_matter_to_look_at(ward: Ward) -> None:
    ward.connect("fabrikam", more="", roles=[*ROLES, "Mail.Read"])
    ward.deployment.configure(**ward.tables)
    chart = await ward.examine(only="fabrikam")
    assert chart.holds
    reported = [f for _, f in chart.findings if f.check == "canaries"]
    assert [f.verdict for f in reported] == [DOUBTFUL, DOUBTFUL]
    assert reported[0].remedy.startswith("set fence.canaries")
    assert "Mail.Read" in reported[1].text


async def test_the_topics_of_every_room_and_of_home_assistant_are_tried(ward: Ward) -> None:
    """What the broker does not let the daemon write is found before the daemon runs."""
    await ward.deployment.broker.kill()
    ward.deployment.broker = Mosquitto(
        ward.deployment.folder / "strict",
        users={"placed": PASSWORD},
        access=["user placed", "topic readwrite placed/#", "topic deny placed/rooms/library/state"],
    )
    await ward.deployment.broker.start()
    ward.deployment.configure(**ward.tables, home_assistant={"discovery": True})
    chart = await ward.examine()
    (publish,) = [f for _, f in chart.findings if f.check == "publish"]
    assert publish.verdict is BAD
    assert "placed/rooms/library/state" in publish.remedy
    assert "homeassistant/+/placed/+/config" in publish.remedy
    await ward.deployment.broker.kill()


async def test_a_broker_that_refuses_the_login_is_reported_with_the_key(ward: Ward) -> None:
    (ward.deployment.folder / "password").write_text("hush-another")
    chart = await ward.examine()
    assert list(broken(chart)) == ["broker"]
    assert finding(chart, "broker").text.startswith(f"{ward.deployment.file}: mqtt.username: ")
    assert waiting(chart) == {"publish": "broker", "subscribe": "broker"}


async def test_a_port_used_by_another_program_is_reported(ward: Ward) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        listen = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ward.deployment.configure(**ward.tables, http={"listen": listen})
        chart = await ward.examine()
    assert broken(chart) == {"http": "stop the program that has the port, or set another port"}
    assert finding(chart, "http").text == f"{ward.deployment.file}: http.listen: {listen} is in use"


async def test_an_endpoint_that_others_can_reach_wants_a_token(ward: Ward) -> None:
    ward.deployment.configure(**ward.tables, http={"listen": "0.0.0.0:0"})
    assert "http.token_file" in finding(await ward.examine(), "http").remedy
    ward.deployment.configure(**ward.tables, http={"listen": "0.0.0.0:0", "allow_anonymous": True})
    chart = await ward.examine()
    assert chart.holds
    assert finding(chart, "http").verdict is DOUBTFUL


@pytest.mark.parametrize(("show", "titles"), [("title", DOUBTFUL), ("organizer", GOOD)])
async def test_titles_that_are_deleted_matter_only_where_they_are_wanted(
    ward: Ward, show: str, titles: Verdict
) -> None:
    now = ward.tenant.now()
    ward.tenant.book("boardroom", now, now + timedelta(hours=1), organizer="Grace Quillfeather")
    ward.deployment.configure(**ward.tables, privacy={"show": show})
    chart = await ward.examine(details=True)
    assert chart.holds
    assert finding(chart, "titles").verdict is titles
    assert finding(chart, "private").verdict is DOUBTFUL


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


async def test_the_command_prints_a_line_a_finding_and_is_done(ward: Ward) -> None:
    code, program = await run(ward.deployment.folder, "doctor", "-c", ward.deployment.file)
    assert (code, program.err) == (0, [])
    assert program.out[-1] == f"{len(EVERYTHING)} ✓ 0 ! 0 ✗"
    assert len(program.out) == len(EVERYTHING) + 1
    assert "✓ contoso token: signed in to contoso.example" in program.out


async def test_the_command_fails_where_a_link_is_broken(ward: Ward) -> None:
    edit_client_id(ward)
    code, program = await run(ward.deployment.folder, "doctor", "contoso", "-c", ward.deployment.file)
    assert (code, program.err) == (1, [])
    (token,) = (line for line in program.out if " token: " in line)
    assert token.startswith("✗ contoso token: sign-in refused: AADSTS700016 -> client_id is not known")
    assert "✗ contoso rooms: not tried -> first: token" in program.out
    assert program.out[-1] == "6 ✓ 0 ! 8 ✗"


async def test_an_invalid_configuration_is_a_failed_check_too(ward: Ward) -> None:
    edit(ward.deployment, "[mqtt]", "[mqtt]\nurll = 1")
    code, program = await run(ward.deployment.folder, "doctor", "-c", ward.deployment.file)
    assert (code, program.err) == (1, [])
    assert program.out[0].startswith(
        f"✗ settings: {ward.deployment.file}: mqtt.urll: unknown key; did you mean url?"
    )
    assert program.out[0].endswith(f"-> correct mqtt.urll in {ward.deployment.file}")
    assert "✗ token: not tried -> first: settings" in program.out


async def test_a_connection_that_is_not_there_is_a_matter_of_usage(ward: Ward) -> None:
    code, program = await run(ward.deployment.folder, "doctor", "fabrikam", "-c", ward.deployment.file)
    assert code == 2
    assert "contoso" in "\n".join(program.err)


async def test_the_output_contains_no_secret_and_no_person(ward: Ward) -> None:
    ward.tenant.lift_restrictions(ward.app)
    ward.tenant.book(
        "boardroom", ward.tenant.now(), ward.tenant.now() + timedelta(hours=1), organizer="Grace Quillfeather"
    )
    ward.connect("fabrikam", rooms=["boardroom", "nowhere"])
    ward.deployment.configure(**ward.tables, privacy={"show": "everything"})
    output = []
    for arguments in ((), ("--json",)):
        _, program = await run(ward.deployment.folder, "doctor", *arguments, "-c", ward.deployment.file)
        output += [*program.out, *program.err]
    document = json.loads("\n".join(program.out))
    jsonschema.validate(document, SCHEMA)
    assert document["bad"] == 2  # the canary, twice
    assert document["good"] + document["doubtful"] + document["bad"] == len(document["findings"])
    everything = "\n".join(output)
    key = [line for line in CERTIFICATE.decode().splitlines() if not line.startswith("-----")]
    tokens = [token for issued in ward.tenant.tokens._issued.values() for token in issued]
    assert tokens
    for secret in (PASSWORD, *key, *tokens, "Quillfeather", "quillfeather", "@"):
        assert secret not in everything


@pytest.mark.parametrize("colours", [True, False])
async def test_at_a_terminal_there_is_a_table(ward: Ward, *, colours: bool) -> None:
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160"}
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        environment.pop(name, None)
    if not colours:
        environment["NO_COLOR"] = "1"
    ours, theirs = os.openpty()
    program = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("placed"),
        *("doctor", "-c", ward.deployment.file, "--state-directory", ward.deployment.state_directory),
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
    """Until whoever writes has gone."""
    content = b""
    try:
        while chunk := os.read(terminal, 65536):
            content += chunk
    except OSError:  # EIO: nobody has the other end any more
        pass
    os.close(terminal)
    return content.decode()
