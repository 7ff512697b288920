"""`placed demo` on a machine that has nothing."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, NoReturn

import aiomqtt
import pytest
from typer.testing import CliRunner

from placed.cli import demo
from placed.cli.commands import app
from placed.cli.demo import EXTRA
from placed.domain.exit_errors import CannotStart
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port, usual_ports
from tests.support.placed_process import Program, run
from tests.support.status_client import Web

if TYPE_CHECKING:
    from pathlib import Path

LINE = re.compile(
    r"placed demo: page http://127\.0\.0\.1:(\d+)/ \| broker mqtt://127\.0\.0\.1:(\d+) \| "
    r"try: mosquitto_sub -h 127\.0\.0\.1 -p (\d+) -v -t 'placed/#' \| Ctrl-C ends it"
)
PROMISED = 5.0  # seconds in which it ends


async def retained(port: int, rooms: set[str]) -> dict[str, bytes]:
    """What the broker keeps of rooms, as soon as it has all of these.

    The demo's broker acknowledges a message before it keeps it, so some may come a moment later.
    """
    kept: dict[str, bytes] = {}
    async with aiomqtt.Client("127.0.0.1", port) as client, asyncio.timeout(DEADLINE):
        await client.subscribe("placed/rooms/+/state", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if message.topic.matches("placed/rooms/+/state"):  # it sends others, too
                kept[message.topic.value.split("/")[2]] = message.payload
            if rooms <= kept.keys():
                break
    return kept


@pytest.mark.parametrize("ports", ["usual", "taken"])
async def test_it_prints_where_to_look_once_states_are_on_the_broker_and_leaves_nothing_behind(
    tmp_path: Path, ports: str
) -> None:
    """On the usual ports if they are free; they may be taken, and in the second case are."""
    async with usual_ports(), AsyncExitStack() as taken:
        for port in (1883, 8620) if ports == "taken" else ():
            with suppress(OSError):  # somebody else has it, which is as good
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        arguments = ["demo", "--interval", "1s", *(["--quiet"] if ports == "usual" else [])]
        async with Program.start(tmp_path, *arguments) as program:
            line = LINE.fullmatch(await program.wait_for_line("placed demo: page"))
            assert line
            http, mqtt, shown = (int(port) for port in line.groups())
            assert mqtt == shown
            if ports == "taken":
                assert {http, mqtt}.isdisjoint({1883, 8620})
            async with Web(f"http://127.0.0.1:{http}") as web:
                listing = await web.json("/api/v1/rooms")
                assert len(listing["rooms"]) >= 5
                names = {room["room"] for room in listing["rooms"]}
                assert (await retained(mqtt, names)).keys() == names
                assert "unknown" not in {room["status"] for room in listing["rooms"]}
                assert (await web.get("/readyz"))[0] == 200
                status, page = await web.get("/")
                assert status == 200
                assert "<html" in page
            program.signal(signal.SIGINT)
            assert await program.ends(within=PROMISED) == 0
            assert program.out == [line[0]]
            output = "\n".join(program.err)
            assert "Traceback" not in output
            assert "rror" not in output
    assert not list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "state").iterdir())


async def test_a_requested_port_in_use_is_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, program = await run(tmp_path, "demo", "--mqtt-port", port)
    assert code == 3
    assert program.err == [
        f"placed: --mqtt-port {port}: it is in use; choose another, or omit the option for a free one"
    ]


async def test_a_port_taken_during_the_start_is_replaced_unless_it_was_requested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the choice of a port and its use, another program may take it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        offered = [port, free_port()]
        monkeypatch.setattr(demo, "_port", lambda *_: offered.pop(0))
        async with AsyncExitStack() as stack:
            assert await demo._open_broker(stack, None) != port
        offered = [port] * 3
        async with AsyncExitStack() as stack:
            with pytest.raises(CannotStart, match=f"--mqtt-port {port}: it is in use"):
                await demo._open_broker(stack, port)


async def test_a_free_port_of_the_page_is_chosen_only_when_it_is_taken() -> None:
    """Between the choice of a number and its use, another program may take it."""
    assert demo._http_port(0) == 0
    async with usual_ports(), AsyncExitStack() as taken:
        with suppress(OSError):  # somebody else has it, which is as good
            taken.enter_context(socket.create_server(("127.0.0.1", 8620)))
        assert demo._http_port(None) == 0
    free = free_port()
    assert demo._http_port(free) == free


async def test_an_option_is_checked_before_anything_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3 also where the usual ports are fought for: this once ended with code 1."""

    def refuse(_port: int) -> NoReturn:
        raise AssertionError("the broker was started")

    monkeypatch.setattr(demo, "_broker", refuse)
    result = await asyncio.to_thread(CliRunner().invoke, app, ["demo", "--interval", "soon"])
    assert result.exit_code == 3
    assert "polling.interval" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "key"),
    [("--interval", "soon", "polling.interval"), ("--show", "all", "privacy.show")],
)
async def test_an_invalid_option_is_reported_in_one_line(
    tmp_path: Path, option: str, value: str, key: str
) -> None:
    code, program = await run(tmp_path, "demo", option, value)
    assert code == 3
    (line,) = program.err
    assert key in line
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("package", EXTRA)
async def test_without_its_extra_the_demo_explains_how_to_install_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    result = await asyncio.to_thread(
        CliRunner().invoke, app, ["demo", "--http-port", "0", "--mqtt-port", "0"]
    )
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert line == (
        f"placed: demo needs {package}, which is not installed; install the extra demo: "
        "pip install 'placed[demo]' in a virtual environment, or run scripts/demo in a checkout"
    )
