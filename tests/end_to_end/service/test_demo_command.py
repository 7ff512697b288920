"""`placed demo` on a machine that has nothing."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, NoReturn

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
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINE = re.compile(
    r"placed demo: page http://127\.0\.0\.1:(\d+)/ \| broker mqtt://127\.0\.0\.1:(\d+) \| "
    r"try: mosquitto_sub -h 127\.0\.0\.1 -p (\d+) -v -t 'placed/#' \| Ctrl-C ends it"
)
PANEL = re.compile(r"placed demo: panel with buttons (http://127\.0\.0\.1:\d+/rooms/willow#token=[\w-]{32})")
PROMISED = 5.0  # seconds in which it ends


async def retained(
    port: int, rooms: set[str], wanted: Callable[[dict[str, Any]], object] = lambda _state: True
) -> dict[str, dict[str, Any]]:
    """The states that the broker keeps, as soon as it has one of each of these rooms that is wanted.

    The demo's broker acknowledges a message before it keeps it, so some may come a moment later.
    """
    kept: dict[str, dict[str, Any]] = {}
    async with aiomqtt.Client("127.0.0.1", port, timeout=DEADLINE) as client, asyncio.timeout(DEADLINE):
        await client.subscribe("placed/rooms/+/state", qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            if not message.topic.matches("placed/rooms/+/state"):  # it sends others, too
                continue
            state = json.loads(message.payload)
            if wanted(state):
                kept[state["room"]] = state
            if rooms <= kept.keys():
                break
    return kept


def is_sensed(state: dict[str, Any]) -> bool:
    """Whether a sensor of the room has reported."""
    return state["presence"] is not None and state["presence"]["state"] in ("present", "empty")


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
            panel = PANEL.fullmatch(await program.wait_for_line("panel with buttons"))
            assert panel
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
                sensed = {room["room"] for room in listing["rooms"] if room["capacity"] > 1}
                states = await retained(mqtt, sensed, is_sensed)
                assert states[min(names)]["presence"]["state"] == "empty"  # its sensor is blind
                assert "phonebox" not in sensed  # a room for one person
                assert (await web.get("/readyz"))[0] == 200
                status, page = await web.get("/")
                assert status == 200
                assert "<html" in page
                has_code = (await web.get("/api/v1/rooms/willow/qr"))[0] == 200
                assert has_code == (http == 8620), "the page's own address, if its port is known before"
            program.signal(signal.SIGINT)
            assert await program.ends(within=PROMISED) == 0
            assert program.out == [line[0], panel[0]]
            output = "\n".join(program.err)
            assert "Traceback" not in output
            assert "rror" not in output
    assert not list((tmp_path / "tmp").iterdir())
    assert not list((tmp_path / "state").iterdir())


@pytest.mark.parametrize(
    ("driver", "connection"), [("google", "fabrikam"), ("icalendar", "feeds"), ("caldav", "calendars")]
)
async def test_the_service_of_another_driver_is_simulated(
    tmp_path: Path, driver: str, connection: str
) -> None:
    arguments = ("demo", "--driver", driver, "--interval", "1s", "--http-port", "0", "--mqtt-port", "0")
    async with Program.start(tmp_path, *arguments) as program:
        line = LINE.fullmatch(await program.wait_for_line("placed demo: page"))
        assert line
        async with Web(f"http://127.0.0.1:{line[1]}") as web:
            listing = await web.json("/api/v1/rooms")
        names = {room["room"] for room in listing["rooms"]}
        assert "boardroom" in names
        assert "unknown" not in {room["status"] for room in listing["rooms"]}
        states = await retained(int(line[2]), names)
        assert {state["connection"] for state in states.values()} == {connection}
        program.signal(signal.SIGINT)
        assert await program.ends(within=PROMISED) == 0
        assert "Traceback" not in "\n".join(program.err)


async def test_a_driver_without_a_demonstration_is_reported(tmp_path: Path) -> None:
    code, program = await run(tmp_path, "demo", "--driver", "paper")
    assert code == 3
    (line,) = program.err
    assert "--driver paper" in line
    assert "microsoft365" in line


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
