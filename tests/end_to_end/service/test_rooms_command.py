"""`placed rooms` with a running daemon, at a terminal and without one."""

from __future__ import annotations

import json
import signal
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.clock import SystemClock
from tests.end_to_end.service.terminal import Terminal
from tests.support.board_setup import BoardSetup
from tests.support.free_ports import free_port
from tests.support.placed_process import run
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.deployment import Deployment

MANY = 5500


def ids(out: list[str]) -> list[str]:
    return [room["room"] for room in json.loads("\n".join(out))["rooms"]]


async def test_filters_show_only_matching_rooms(deployment: Deployment) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now, now + timedelta(hours=1))
    deployment.tenant.book("library", now + timedelta(minutes=20), now + timedelta(hours=1))
    deployment.connect(rooms=["boardroom", "library", "nowhere"])
    async with deployment.daemon() as running:
        for filters, found in (
            (["--status", "free,busy", "--search", "OA"], ["boardroom"]),
            (["--free-for", "15m"], ["library"]),
            (["--free-for", "45m"], []),
        ):
            code, program = await run(deployment.folder, "rooms", "--json", "--url", running.url, *filters)
            assert (code, ids(program.out)) == (0, found), filters
        code, none = await run(
            deployment.folder, "rooms", "--once", "--url", running.url, "--search", "cellar"
        )
        assert (code, none.out[-1]) == (0, "No room matches these filters.")
        code, program = await run(
            deployment.folder, "rooms", "--once", "--url", running.url, "--status", "unknown"
        )
    assert code == 0
    assert [line.split()[1] for line in program.out if line.startswith("│")] == ["nowhere"]
    assert "1 of 3 rooms: 1 unknown" in program.out[0]


@pytest.mark.parametrize("arguments", [["--status", "fre"], ["--free-for", "3"], ["--capacity", "-1"]])
async def test_a_filter_that_makes_no_sense_is_a_matter_of_usage(
    tmp_path: Path, arguments: list[str]
) -> None:
    code, program = await run(tmp_path, "rooms", *arguments)
    assert code == 2
    assert arguments[0] in "\n".join(program.err)


async def test_without_a_terminal_the_table_is_printed_once(deployment: Deployment) -> None:
    async with deployment.daemon() as running:
        code, program = await run(deployment.folder, "rooms", "--url", running.url)
    assert code == 0
    assert "\x1b" not in "".join(program.out)
    assert sum(line.startswith("│") for line in program.out) == 2


async def test_the_table_changes_with_the_rooms_and_ctrl_c_ends_it(deployment: Deployment) -> None:
    deployment.connect()
    async with (
        deployment.daemon() as running,
        Terminal.start(deployment.folder, "rooms", "--url", running.url) as terminal,
    ):
        await terminal.shows("boardroom", "○ free")
        assert "2 rooms: 2 free" in terminal.screen[0]
        assert "\x1b[32m" in terminal.raw
        now = deployment.clock.now()
        deployment.tenant.book("boardroom", now, now + timedelta(minutes=30))
        await terminal.shows("boardroom", "■ busy", "30 min")
        await terminal.shows("library", "○ free")
        terminal.press_ctrl_c()
        assert await terminal.ends() == 0
    assert terminal.raw.rstrip().endswith(("\x1b[?1049l\x1b[?25h", "\x1b[?25h\x1b[?1049l"))
    assert "Traceback" not in terminal.raw


async def test_filters_are_kept_to_while_rooms_change(deployment: Deployment) -> None:
    deployment.connect()
    async with (
        deployment.daemon() as running,
        Terminal.start(deployment.folder, "rooms", "--url", running.url, "--status", "busy") as terminal,
    ):
        await terminal.shows("0 of 2 rooms")
        now = deployment.clock.now()
        deployment.tenant.book("library", now, now + timedelta(minutes=30))
        await terminal.shows("library", "■ busy")
        assert not any("boardroom" in line for line in terminal.screen)
        terminal.signal(signal.SIGTERM)
        assert await terminal.ends() == 0


async def test_without_the_daemon_all_is_unknown_until_it_is_back(deployment: Deployment) -> None:
    port = free_port()
    deployment.configure(http={"listen": f"127.0.0.1:{port}"})
    async with AsyncExitStack() as first:
        running = await first.enter_async_context(deployment.daemon())
        async with Terminal.start(deployment.folder, "rooms", "--url", running.url) as terminal:
            await terminal.shows("library", "○ free")
            await first.aclose()
            await terminal.shows("library", "◇ unknown", "no connection")
            await terminal.shows("boardroom", "◇ unknown")
            assert not any("free" in line for line in terminal.screen)
            assert f"http://127.0.0.1:{port}: " in terminal.screen[0]
            async with deployment.daemon():
                await terminal.shows("library", "○ free")
                await terminal.shows("2 rooms: 2 free")
                terminal.press_ctrl_c()
                assert await terminal.ends() == 0


async def test_at_a_terminal_it_reports_in_one_line_that_no_daemon_runs(tmp_path: Path) -> None:
    async with Terminal.start(tmp_path, "rooms", "--url", f"http://127.0.0.1:{free_port()}") as terminal:
        assert await terminal.ends() == 1
    assert "is it running?" in terminal.raw
    assert "Traceback" not in terminal.raw
    assert "\x1b[?1049h" not in terminal.raw


async def test_no_color_is_kept_to(deployment: Deployment) -> None:
    async with (
        deployment.daemon() as running,
        Terminal.start(
            deployment.folder, "rooms", "--url", running.url, environment={"NO_COLOR": "1"}
        ) as terminal,
    ):
        await terminal.shows("library", "○ free")
        assert "\x1b[3" not in terminal.raw


async def test_of_5500_rooms_it_shows_what_fits_and_follows_the_window(tmp_path: Path) -> None:
    board_setup = BoardSetup()
    board_setup.moment = SystemClock().now()
    board_setup.add(*(f"room-{number:05}" for number in range(MANY)), building="HQ", floor="1")
    for number in range(MANY):
        board_setup.read(f"room-{number:05}")
    async with (
        Endpoint(board_setup) as endpoint,
        Terminal.start(tmp_path, "rooms", "--url", endpoint.server.url, size=(70, 20)) as terminal,
    ):
        await terminal.shows("5,486 more")
        assert "5,500 rooms: 5,500 free" in terminal.screen[0]
        assert len(terminal.screen) == 20
        assert sum("○ free" in line for line in terminal.screen) == 14
        terminal.resize(50, 30)
        terminal.signal(signal.SIGWINCH)
        await terminal.shows("5,476 more")
        assert max(len(line) for line in terminal.screen) <= 50
        terminal.press_ctrl_c()
        assert await terminal.ends() == 0
