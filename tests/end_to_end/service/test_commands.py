"""The commands beside `placed run` and `placed demo`."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.support.free_ports import free_port
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.deployment import Deployment


async def test_rooms_shows_a_table_of_a_running_daemon_once(deployment: Deployment) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now, now + timedelta(hours=1))
    deployment.connect(rooms=["boardroom", "library", "nowhere"])
    async with deployment.daemon() as running:
        code, program = await run(deployment.folder, "rooms", "--once", "--url", running.url)
    assert code == 0
    assert not program.err
    table = {line.split()[1]: line for line in program.out if line.startswith("│")}
    assert "■ busy" in table["boardroom"]
    assert "○ free" in table["library"]
    assert "◇ unknown" in table["nowhere"]
    assert "not_found" in table["nowhere"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--version"], 0), (["rooms", "--nothing"], 2), (["check", "-c", "none.toml"], 3)],
)
async def test_a_command_is_the_same_in_a_new_interpreter_and_in_a_forked_one(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    """The other tests rely on it: they fork placed from a process that has imported it."""
    ended = [await run(tmp_path, *arguments, fresh=fresh) for fresh in (True, False)]
    new, forked = [(ended_with, program.out, program.err) for ended_with, program in ended]
    assert new == forked
    assert new[0] == code


async def test_rooms_prints_the_endpoints_json(deployment: Deployment) -> None:
    async with deployment.daemon() as running:
        code, program = await run(
            deployment.folder, "rooms", "--json", environment={"PLACED_URL": running.url}
        )
    assert code == 0
    listing = json.loads("\n".join(program.out))
    assert [room["room"] for room in listing["rooms"]] == ["boardroom", "library"]


async def test_rooms_names_itself_to_a_daemon_that_wants_a_token(deployment: Deployment) -> None:
    token = deployment.folder / "token"
    write_secret(token, "hush-token")
    deployment.configure(http={"listen": "127.0.0.1:0", "token_file": str(token)})
    async with deployment.daemon() as running:
        code, program = await run(deployment.folder, "rooms", "--once", "--url", running.url)
        assert (code, program.err) == (
            1,
            [f"placed: {running.url}: the daemon requires a token: --token-file"],
        )
        code, program = await run(
            deployment.folder, "rooms", "--once", "--url", running.url, "--token-file", token
        )
        assert code == 0


async def test_rooms_reports_in_one_line_that_no_daemon_runs(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for option in ("--once", "--json", "--url"):
        arguments = [option] if option != "--url" else []
        code, program = await run(tmp_path, "rooms", *arguments, "--url", url)
        assert code == 1
        assert program.err == [
            f"placed: {url}: no answer from a placed daemon (Connection refused); is it running?"
        ]


@pytest.mark.parametrize(
    ("url", "output"),
    [
        ("http://nobody.invalid:8620", "no answer from a placed daemon (the host name is not known)"),
        (
            "127.0.0.1:8620",
            "this is not the address of a status endpoint; expected one such as http://127.0.0.1:8620",
        ),
        (
            "http://[",
            "this is not the address of a status endpoint; expected one such as http://127.0.0.1:8620",
        ),
        (
            "ftp://x",
            "this is not the address of a status endpoint; expected one such as http://127.0.0.1:8620",
        ),
    ],
)
async def test_rooms_names_in_words_what_is_wrong_with_an_address(
    tmp_path: Path, url: str, output: str
) -> None:
    code, program = await run(tmp_path, "rooms", "--once", "--url", url)
    assert (code, program.err) == (
        1,
        [f"placed: {url}: {output}{'; is it running?' if 'answer' in output else ''}"],
    )


async def test_check_describes_the_effect_of_a_valid_configuration(deployment: Deployment) -> None:
    async with deployment.outage():
        code, program = await run(deployment.folder, "check", "-c", deployment.configure())
    assert code == 0
    assert program.out == [
        f"{deployment.file}: good",
        "  connection contoso: microsoft365",
        f"  broker: {deployment.broker.url}",
        "  status endpoint: 127.0.0.1:0",
    ]
    assert not program.err
    assert not deployment.simulator.requests
    assert not list((deployment.folder / "state").iterdir())


async def test_check_reports_the_errors_of_an_invalid_configuration(deployment: Deployment) -> None:
    nothing = str(deployment.folder / "nothing")
    deployment.configure(mqtt={"url": "mqtt://broker", "username": "placed", "password_file": nothing})
    (deployment.folder / "contoso.secret").unlink()
    code, program = await run(deployment.folder, "check", "-c", deployment.file)
    assert code == 3
    assert not program.out
    secret, password = program.err
    assert secret == (
        f"placed: {deployment.file}: connections[0].client_secret_file: {deployment.folder}/contoso.secret "
        "cannot be read: No such file or directory; create it or correct the path"
    )
    assert password.startswith(f"placed: {deployment.file}: mqtt.password_file: ")


async def test_help_names_the_commands(tmp_path: Path) -> None:
    code, program = await run(tmp_path, "--help")
    assert code == 0
    text = "\n".join(program.out)
    for command in ("run", "demo", "check", "rooms"):
        assert f" {command} " in text
    assert "placed demo" in text


async def test_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    code, program = await run(tmp_path, "--version")
    assert (code, program.out) == (0, [f"placed {version('placed')}"])


async def test_an_unknown_option_is_a_matter_of_usage(tmp_path: Path) -> None:
    code, _ = await run(tmp_path, "run", "--configuration", "placed.toml")
    assert code == 2
