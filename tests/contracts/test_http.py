"""What the running daemon answers is what its own `/openapi.json` describes, whatever it is asked."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.component.http.test_openapi import DESCRIPTION, resolve, validate
from tests.contracts.scripted_day import day, two_connections
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from tests.contracts.scripted_day import Day
    from tests.support.status_endpoint import ServerSentEvent, Stream

# An answer of the event stream has no end, so it is held to its description by itself.
STREAM = "/api/v1/events"
SEED = 20261006
HEAD_ONLY = ("Content-Length", "Transfer-Encoding")  # that HEAD may leave out (RFC 9110, 9.3.2)
STATIC = "/static/{version}/{name}"
WEBHOOK = "/api/v1/sensors/{sensor}"  # takes messages, and is tried in test_sensors
PANELS = (  # need the token of a panel, and are tried in test_openapi
    "/api/v1/rooms/{room}/actions",
    "/api/v1/actions/{key}",
    "/api/v1/panel",
)
ADDRESSES = {  # an address that there is, for each path
    path: path.format(room="library", connection="list") + {"/api/v1/days": "?room=library"}.get(path, "")
    for path in DESCRIPTION["paths"]
    if path not in (STREAM, STATIC, WEBHOOK, *PANELS)
}


async def schemathesis(folder: Path, source: str | Path, *more: str, examples: int = 1) -> str:
    """Sends requests made from a description, and compares the answers with it; returns its output.

    Raises:
        AssertionError: an answer is not as described.
    """
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        "run",
        source,
        "--checks=all",
        "--continue-on-failure",
        f"--exclude-path={STREAM}",
        f"--max-examples={examples}",
        f"--seed={SEED}",
        "--generation-database=none",
        "--request-timeout=10",
        "--no-color",
        *more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    try:
        reported = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, reported
    return reported


async def test_every_response_matches_the_description(tmp_path: Path) -> None:
    async with two_connections(tmp_path) as (deployment, group), day(deployment, group) as today:
        reported = await schemathesis(tmp_path, f"{today.running.url}/openapi.json", examples=8)
        assert today.running.logged("http.request_failed") == []
        assert int(re.findall(r"(\d+) generated", reported)[0]) > 100


async def test_the_response_to_a_wrong_token_matches_the_description(tmp_path: Path) -> None:
    write_secret(tmp_path / "token", "a-token-of-this-test")
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(DESCRIPTION))
    async with two_connections(tmp_path / "placed") as (deployment, _):
        deployment.configure(http={"listen": "127.0.0.1:0", "token_file": str(tmp_path / "token")})
        async with deployment.daemon() as running:
            # A client without permission need not learn which methods exist.
            wrong = ("--header=Authorization: Bearer wrong", "--exclude-checks=unsupported_method")
            reported = await schemathesis(
                tmp_path, description, f"--url={running.url}", "--phases=coverage", *wrong
            )
            assert "401" in reported


async def test_in_a_day_all_that_is_answered_and_streamed_is_as_described(tmp_path: Path) -> None:
    schemas = DESCRIPTION["paths"][STREAM]["get"]["responses"]["200"]["content"]["text/event-stream"]
    streamed: list[ServerSentEvent] = []
    async with (
        two_connections(tmp_path) as (deployment, group),
        day(deployment, group) as today,
        today.web.follow() as stream,
    ):
        following = asyncio.create_task(note_all(stream, streamed))
        for passes in (
            today.people_change_their_minds,
            today.a_meeting_comes_and_goes_by_the_clock,
            today.a_room_is_unreadable,
            today.a_room_leaves,
            today.the_fence_falls,
        ):
            await passes()
            await hold_answers(today)
        following.cancel()
        await asyncio.wait([following])
    assert {reported.event for reported in streamed} == set(schemas["x-events"])
    for reported in streamed:
        validate(reported.data, schemas["x-events"][reported.event])
    assert {reported.data["status"] for reported in streamed if reported.event == "state"} == {
        "free",
        "starting",
        "pending",
        "busy",
        "unknown",
    }


async def note_all(stream: Stream, streamed: list[ServerSentEvent]) -> None:
    """Every event, until it is cancelled."""
    while True:
        streamed.append(await stream.until(lambda _: True))


async def hold_answers(today: Day) -> None:
    """Every address that answers with JSON is as described now."""
    async with aiohttp.ClientSession(today.running.url) as session:
        for path, address in ADDRESSES.items():
            async with session.get(address) as response:
                responses = DESCRIPTION["paths"][path]["get"]["responses"]
                described = resolve(responses[str(response.status)])
                content = described["content"][response.content_type]
                if response.content_type.endswith("json"):
                    validate(await response.json(content_type=None), content["schema"])
                for name, header in described.get("headers", {}).items():
                    if name in response.headers:
                        validate(response.headers[name], resolve(header)["schema"])


@pytest.mark.parametrize(
    "headers", [{}, {"Accept-Encoding": "gzip"}, {"Accept": "application/openmetrics-text"}]
)
async def test_head_is_answered_as_get_is_without_the_body(tmp_path: Path, headers: dict[str, str]) -> None:
    async with (
        two_connections(tmp_path) as (deployment, group),
        day(deployment, group) as today,
        aiohttp.ClientSession(today.running.url, headers=headers) as session,
    ):
        for address in (*ADDRESSES.values(), "/api/v1/rooms/nowhere", "/nowhere"):
            for _ in range(10):
                async with session.get(address) as got, session.head(address) as asked:
                    body = await asked.read()
                async with session.get(address) as again:
                    if again.headers.get("Etag") == got.headers.get("Etag"):
                        break  # else something has changed between the two
            assert asked.status == got.status, address
            for name in got.headers.keys() - {"Date", "Placed-Time", *HEAD_ONLY}:
                assert asked.headers.get(name) == got.headers[name], f"{name} of {address}"
            assert body == b""
