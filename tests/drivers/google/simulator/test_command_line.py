"""`python -m placed_google.simulator` runs by itself and ends cleanly."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
import tomllib
from typing import TYPE_CHECKING

import aiohttp

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-m", "placed_google.simulator")


async def test_it_writes_what_a_daemon_needs_and_ends_at_a_signal(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--write-config", str(tmp_path), "--rooms", "3", "--still", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    assert "with 3 rooms at https://localhost:" in first
    settings = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"][0]
    assert settings["calendar_url"] == settings["directory_url"] == first.split()[-1]
    assert settings["customer"].startswith("C0")
    assert settings["fence"]["canaries"] == ["ada@fabrikam.example"]
    key_file = tmp_path / "placed-key.json"
    assert key_file.stat().st_mode & 0o077 == 0
    assert json.loads(key_file.read_text())["token_uri"] == f"{settings['calendar_url']}/token"
    context = ssl.create_default_context(cafile=settings["ca_file"])
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{settings['calendar_url']}/_control/rooms", ssl=context) as response,
    ):
        assert len(await response.json()) == 3
    process.send_signal(signal.SIGTERM)
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


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_an_empty_workspace_prints_the_next_steps(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--empty", "--write-config", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    first = (await asyncio.wait_for(process.stdout.readline(), DEADLINE)).decode()
    url = first.split()[-1]
    assert names(tmp_path) == ["ca.pem"]
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    found = {}
    async with aiohttp.ClientSession() as session:
        for resource in ("rooms", "accounts"):
            async with session.get(f"{url}/_control/{resource}", ssl=context) as response:
                found[resource] = len(await response.json())
    assert found == {"rooms": 12, "accounts": 0}
    process.send_signal(signal.SIGINT)
    output, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0
    assert b"play accounts/ADDRESS/keys" in output
