"""`placed setup`, as its user calls it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import OffersSetup, find_drivers
from tests.support.deadlines import DEADLINE
from tests.support.placed_process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENT_ID = "9aa1f7b2-5d3e-4c54-8a1b-0f7c2b6d9e11"
ENOUGH = (
    "--set=tenant=contoso.onmicrosoft.com",
    "--set=rooms=boardroom@contoso.com,library@contoso.com",
    "--set=fence.canaries=someone@contoso.com",
)
ROOMS_MISSING = (
    "placed: rooms: missing; give it with --set rooms=A,B, "
    "or --set room_group=VALUE, or --set room_list=VALUE"
)
KITS = ", ".join(sorted(name for name, kind in find_drivers().items() if isinstance(kind, OffersSetup)))
DRIVER_MISSING = f"placed: --driver: missing; give one of: {KITS}"
WITH_ROOMS = "placed: --driver: missing; give one of: google, microsoft365"  # those that ask for `rooms`
AMONG = "placed: fence.canaries: one of them is among the rooms; expected mailboxes outside of the fence"
CONFIGURATION = f"""
[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "contoso.onmicrosoft.com"
client_id = "{CLIENT_ID}"
certificate = "/etc/placed/contoso.pem"
cloud = "usgov"
room_group = "placed-rooms@contoso.com"
time_zone = "America/New_York"
[connections.fence]
kind = "access-policy"
canaries = ["someone@contoso.com"]
"""


def table(folder: Path) -> Any:
    (only,) = tomllib.loads((folder / "placed.toml").read_text())["connections"]
    return only


async def test_setup_works_before_there_is_any_configuration(tmp_path: Path) -> None:
    kit = tmp_path / "kit"
    code, program = await run(tmp_path, "setup", "contoso", "--output", kit, *ENOUGH)
    assert (code, program.err) == (0, [])
    assert program.out[0] == f"{kit}:"
    listed = [line.split()[0] for line in program.out[1 : program.out.index("")]]
    assert sorted(listed) == sorted(path.name for path in kit.iterdir())
    assert "README.md" in listed
    assert program.out[program.out.index("") + 1] == "Next:"
    assert program.out[-1].startswith("  4. run `placed doctor contoso`")
    assert (kit / "contoso.pem").stat().st_mode & 0o777 == 0o600

    # Its table, with the client id that register prints, is a good configuration.
    file = kit / "placed.toml"
    code, program = await run(tmp_path, "check", "-c", file)
    assert code == 3
    assert program.err[0].startswith(f"placed: {file}: connections[0].client_id: found ''")
    file.write_text(file.read_text().replace('client_id = ""', f'client_id = "{CLIENT_ID}"'))
    code, program = await run(tmp_path, "check", "-c", file)
    assert (code, program.err) == (0, [])

    # From there everything is known.
    before = {path.name: path.read_bytes() for path in kit.iterdir()}
    code, program = await run(tmp_path, "setup", "-c", file, "-o", kit, "--renew")
    assert (code, program.err) == (0, [])
    after = {path.name: path.read_bytes() for path in kit.iterdir()}
    assert after["contoso.pem"] == before["contoso.pem"]
    assert len([name for name in after if name.endswith(".pem")]) == 2


async def test_setup_takes_a_connection_as_the_configuration_has_it(tmp_path: Path) -> None:
    file, kit = tmp_path / "placed.toml", tmp_path / "kit"
    file.write_text(CONFIGURATION)
    code, program = await run(tmp_path, "setup", "-c", file, "--output", kit)
    assert (code, program.err) == (0, [])
    written, meant = table(kit), tomllib.loads(CONFIGURATION)["connections"][0]
    assert {**written, "certificate": ""} == {
        **meant,
        "certificate": "",
        "fence": {**meant["fence"], "enforce": True},
    }
    assert CLIENT_ID in (kit / "register.sh").read_text()
    # The values of the command line come before it.
    code, program = await run(tmp_path, "setup", "contoso", "-c", file, "-o", kit, "--set", "fence.kind=rbac")
    assert (code, program.err) == (0, [])
    assert table(kit)["fence"]["kind"] == "rbac"


async def test_setup_takes_a_new_connection_beside_those_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "placed.toml"
    file.write_text(CONFIGURATION + CONFIGURATION.replace("contoso", "fabrikam"))
    code, program = await run(tmp_path, "setup", "-c", file)
    assert code == 2
    assert program.err == [
        "placed: there are several connections; name one of: contoso, fabrikam, or a new one"
    ]
    code, program = await run(tmp_path, "setup", "tailspin", "-c", file, "-o", tmp_path / "kit", *ENOUGH)
    assert (code, program.err) == (0, [])
    assert table(tmp_path / "kit")["name"] == "tailspin"
    assert table(tmp_path / "kit")["client_id"] == ""


async def test_without_a_terminal_setup_lists_missing_values_one_a_line(tmp_path: Path) -> None:
    code, program = await run(
        tmp_path, "setup", "contoso", "--driver", "microsoft365", "-o", tmp_path / "kit"
    )
    assert code == 2
    assert [line.partition(". ")[0] for line in program.err] == [
        "placed: tenant: missing; give it with --set tenant=VALUE",
        ROOMS_MISSING,
        "placed: fence.canaries: missing; give it with --set fence.canaries=A,B",
    ]
    assert not (tmp_path / "kit").exists()
    code, program = await run(tmp_path, "setup", *ENOUGH)
    assert code == 2
    assert program.err == [
        "placed: NAME: missing; expected a name for the connection, for example: placed setup contoso"
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (
            ["contoso", "--driver", "microsoft365", "--set", "tenat=x"],
            2,
            ["placed: --set tenat: unknown key; did you mean tenant?"],
        ),
        (["contoso"], 2, [DRIVER_MISSING]),
        (["contoso", "--set", "rooms=boardroom@contoso.com", "--set", "tenat=x"], 2, [WITH_ROOMS]),
        (["contoso", "--set", "tenant=contoso.com", "--set", "project=fabrikam-placed"], 2, [DRIVER_MISSING]),
        (["contoso", "--set", "tenant"], 2, ["placed: --set tenant: expected KEY=VALUE"]),
        (
            ["Con toso", *ENOUGH],
            2,
            ["placed: NAME: found 'Con toso', expected a-z, 0-9, - and _, such as contoso"],
        ),
        (
            ["contoso", "--driver", "none", *ENOUGH],
            2,
            ["placed: --driver: there is no driver none that can be set up"],
        ),
        (
            ["contoso", *ENOUGH, "--set", "time_zone=Berlin", "--set", "client_id=1"],
            2,
            [
                "placed: client_id: expected the application (client) id, a GUID",
                "placed: time_zone: expected an IANA time zone such as Europe/Berlin",
            ],
        ),
        (
            ["contoso", *ENOUGH, "--set", "fence.canaries=library@contoso.com"],
            2,
            [AMONG],
        ),
        (
            ["contoso", *ENOUGH, "-o", "/dev/null/kit"],
            1,
            ["placed: /dev/null/kit cannot be written: Not a directory"],
        ),
        (
            ["contoso", *ENOUGH, "-c", "nowhere.toml"],
            3,
            ["placed: nowhere.toml: cannot be read: No such file or directory"],
        ),
    ],
)
async def test_a_mistake_gets_a_line(
    arguments: Sequence[str], code: int, output: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended, program = await run(tmp_path, "setup", *arguments)
    assert (ended, program.err, program.out) == (code, output, [])


async def test_a_configuration_that_is_not_ready_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "placed.toml"
    file.write_text("[[connections]]\nname = 'contoso'\n")
    code, program = await run(
        tmp_path,
        "setup",
        "contoso",
        "-o",
        tmp_path / "kit",
        *ENOUGH,
        environment={"PLACED_CONFIG": str(file)},
    )
    assert code == 0
    (output,) = program.err
    assert output.startswith(f"placed: continues without the configuration: {file}: connections[0]")


# --- at a terminal ------------------------------------------------------------------------------------------


class Terminal:
    """`placed setup` at a terminal, with somebody who answers."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "COLUMNS": "120"}
        environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("placed"), "setup", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=folder,
        )
        os.close(theirs)
        self.seen = ""

    def answers(self, question: str, answer: str) -> None:
        """Waits for the question at the end of the output so far."""
        self._read(question)
        os.write(self._ours, f"{answer}\n".encode())

    def ends(self) -> int:
        self._read(None)
        os.close(self._ours)
        return self.process.wait(DEADLINE)

    def _read(self, until: str | None) -> None:
        end, start = time.monotonic() + DEADLINE, len(self.seen)
        while until is None or until not in self.seen[start:]:
            ready, _, _ = select.select([self._ours], [], [], max(0, end - time.monotonic()))
            assert ready, f"no more output, {until!r} was waited for:\n{self.seen}"
            try:
                self.seen += os.read(self._ours, 4096).decode()
            except OSError:  # a terminal's error once its other side is closed
                assert until is None, self.seen
                return


def test_at_a_terminal_setup_asks_for_missing_values(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--set", "tenant=contoso.onmicrosoft.com")
    terminal.answers("A name for the connection", "contoso")
    terminal.answers("The cloud that it is in", "")
    terminal.answers("The registration's application (client) id", "")
    terminal.answers("security group that the rooms come from", "")
    terminal.answers("Address of the room list", "")
    terminal.answers("The rooms' mail addresses", "boardroom@contoso.com, library@contoso.com")
    terminal.answers("The fence", "access-policy")
    terminal.answers("outside of the fence", "")  # there has to be one, so it asks again
    terminal.answers("outside of the fence", "someone@contoso.com")
    terminal.answers("The rooms' time zone", "Berlin")
    terminal.answers("The rooms' time zone", "Europe/Berlin")  # asked again, for there is no such zone
    assert terminal.ends() == 0, terminal.seen
    assert "placed: time_zone: expected an IANA time zone such as Europe/Berlin" in terminal.seen
    assert "tenant's domain name" not in terminal.seen
    assert "PRIVATE KEY" not in terminal.seen
    assert "README.md" in terminal.seen
    assert "Next:" in terminal.seen
    written = table(tmp_path / "placed-setup-contoso")
    assert written["rooms"] == ["boardroom@contoso.com", "library@contoso.com"]
    assert written["time_zone"] == "Europe/Berlin"
    assert written["fence"]["kind"] == "access-policy"


def test_at_a_terminal_setup_asks_for_the_calendar_service(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "fabrikam", "--set", "time_zone=Europe/Berlin")
    terminal.answers(f"The calendar service, by its driver: {KITS}", "google")
    terminal.answers("The service account's address", "")
    terminal.answers("The id of the Google Cloud project", "fabrikam-placed")
    terminal.answers("The organisation's customer id", "")
    terminal.answers("The addresses of the rooms' calendars", "c_188a@resource.calendar.google.com")
    terminal.answers("A user for whom the account acts", "")
    terminal.answers("A group to share the rooms with", "")
    terminal.answers("placed must not be able to read", "ada@fabrikam.example")
    terminal.answers("Whether you have seen", "perhaps")
    terminal.answers("Whether you have seen", "yes")  # asked again
    assert terminal.ends() == 0, terminal.seen
    written = table(tmp_path / "placed-setup-fabrikam")
    assert written["driver"] == "google"
    assert written["rooms"] == ["c_188a@resource.calendar.google.com"]
    assert written["fence"] == {"canaries": ["ada@fabrikam.example"], "canaries_exist": True, "enforce": True}


def test_at_a_terminal_a_room_group_answers_where_the_rooms_are(tmp_path: Path) -> None:
    terminal = Terminal(
        tmp_path,
        "contoso",
        *(argument for argument in ENOUGH if "rooms" not in argument),
        *("--set=cloud=worldwide", "--set=client_id=", "--set=time_zone=UTC"),
    )
    terminal.answers("security group that the rooms come from", "placed-rooms@contoso.com")
    terminal.answers("The fence", "")
    assert terminal.ends() == 0, terminal.seen
    written = table(tmp_path / "placed-setup-contoso")
    assert written["room_group"] == "placed-rooms@contoso.com"
    assert written["fence"]["kind"] == "rbac"


async def test_the_folder_of_actions_completes_the_configuration(tmp_path: Path) -> None:
    file, kit = tmp_path / "placed.toml", tmp_path / "placed-setup-contoso-actions"
    file.write_text(CONFIGURATION)
    code, program = await run(tmp_path, "setup", "contoso", "-c", file, "-o", kit, "--actions")
    assert (code, program.err) == (0, [])
    assert (kit / "contoso-actions.pem").stat().st_mode & 0o777 == 0o600
    assert not (kit / "contoso.pem").exists()
    actions = (kit / "placed.toml").read_text()
    assert 'client_id = "" #' in actions
    other = "0e6f8a51-35a8-4fbf-9d39-5c1e7a4b9a10"
    reader = CONFIGURATION.replace("/etc/placed/contoso.pem", str(kit / "contoso-actions.pem"))
    file.write_text(reader + actions.replace('client_id = ""', f'client_id = "{other}"'))
    code, program = await run(tmp_path, "check", "-c", file)
    assert (code, program.err) == (0, [])
    code, program = await run(tmp_path, "setup", "contoso", "-c", file, "-o", kit, "--actions")
    assert (code, program.err) == (0, [])
    assert f'client_id = "{other}"\n' in (kit / "placed.toml").read_text()


async def test_the_folder_of_actions_completes_a_connection_to_google(tmp_path: Path) -> None:
    kit = tmp_path / "placed-setup-fabrikam-actions"
    code, program = await run(
        tmp_path,
        *("setup", "fabrikam", "--driver=google", "--actions", "-o", kit),
        *("--set=project=fabrikam-placed", "--set=rooms=c_188a@resource.calendar.google.com"),
        *("--set=fence.canaries=ada@fabrikam.example", "--set=time_zone=UTC", "--set=subject="),
        *("--set=account=", "--set=share_with=", "--set=fence.canaries_exist=yes"),
    )
    assert (code, program.err) == (0, [])
    actions = tomllib.loads((kit / "placed.toml").read_text())["connections"]["actions"]
    assert actions["key_file"] == str(kit / "fabrikam-actions.json")
    assert actions["allow"] == []
