"""`python -m placed_microsoft365.simulator` runs by itself and ends cleanly."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
import tomllib
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-m", "placed_microsoft365.simulator")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_writes_what_a_daemon_needs_and_ends_at_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--write-config", str(tmp_path), "--rooms", "3", "--still", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert "with 3 rooms at https://localhost:" in first
    settings = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"][0]
    assert settings["graph"] == settings["authority"] == first.split()[-1]
    assert settings["room_group"] == "placed-rooms@contoso.example"
    assert settings["fence"] == {"kind": "access-policy", "canaries": ["ada@contoso.example"]}
    assert (tmp_path / "client.pem").stat().st_mode & 0o077 == 0
    assert (tmp_path / "client_secret").read_text() == "simulated-secret"
    context = ssl.create_default_context(cafile=settings["ca_file"])
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{settings['graph']}/_control/rooms", ssl=context) as response,
    ):
        assert len(await response.json()) == 3
    process.send_signal(number)
    output, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0
    assert b"[[connections]]" in output


async def test_an_unreadable_scenario_is_a_usage_error(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--scenario", str(tmp_path / "none.toml"), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 2
    assert b"none.toml" in errors


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("more", [(), ("--rooms", "3")])
async def test_an_empty_tenant_has_rooms_and_people_and_prints_the_next_steps(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "--empty", "--write-config", str(tmp_path), "--still", *more),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    url = first.split()[-1]
    assert files(tmp_path) == ["ca.pem"]
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    found = {}
    async with aiohttp.ClientSession() as session:
        for resource in ("rooms", "people", "groups", "apps"):
            async with session.get(f"{url}/_control/{resource}", ssl=context) as response:
                found[resource] = len(await response.json())
    assert found["rooms"] == (3 if more else 12)
    assert found["people"] > 0
    assert (found["groups"], found["apps"]) == (0, 0)
    process.terminate()
    output, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0
    for step in ("apps", "manifest", "certificates", "groups", "access-policies", "consent"):
        assert step.encode() in output
