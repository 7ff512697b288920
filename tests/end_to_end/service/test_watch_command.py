"""`placed watch`: what a panel would show, from a real broker."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.service.terminal import Terminal
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port
from tests.support.mosquitto import Mosquitto
from tests.support.mosquitto import Subscriber as Publisher
from tests.support.placed_process import Program, run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.deployment import Deployment


def moment(seconds: float) -> str:
    """So many seconds from now."""
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


def state(room: str = "boardroom", **more: Any) -> str:
    """A state as somebody's daemon may publish it."""
    usual = {
        "schema": 1,
        "room": room,
        "name": room.title(),
        "status": "free",
        "stale": False,
        "next": None,
        "busy_until": None,
        "free_until": None,
        "observed_at": moment(-1),
        "valid_until": moment(600),
        "reason": None,
        "epoch": 7,
        "seq": 1,
    }
    return json.dumps(usual | more)


ONLINE = '{"state":"online","epoch":7}'
TOPIC = "placed/rooms/boardroom/state"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A broker without a daemon; the test publishes the messages."""
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    yield broker
    await broker.kill()


@asynccontextmanager
async def watching(folder: Path, broker: Mosquitto, *arguments: str) -> AsyncIterator[Program]:
    async with Program.start(folder, "watch", "--lines", "--broker", broker.url, *arguments) as program:
        yield program


async def printed(program: Program, words: str, since: int = 0) -> str:
    """The first line on stdout with the words, of those from number `since` on."""
    async with asyncio.timeout(DEADLINE), program._line_added:
        while True:
            for line in program.out[since:]:
                if words in line:
                    return line
            await program._line_added.wait()


async def test_it_shows_what_the_daemon_publishes_in_both_versions_of_mqtt(deployment: Deployment) -> None:
    now = deployment.clock.now().replace(second=0, microsecond=0)
    deployment.tenant.book("boardroom", now, now + timedelta(minutes=30))
    until = f"{(now + timedelta(minutes=30)).astimezone():%H:%M}"
    deployment.configure(mqtt={"url": deployment.broker.url, "base_topic": "hq/placed"})
    async with deployment.daemon():
        code, program = await run(deployment.folder, "watch", "--once", "-c", deployment.file)
        assert (code, program.err) == (0, [])
        table = {line.split()[1]: line for line in program.out if line.startswith("│")}
        assert "■ busy" in table["boardroom"]
        assert until in table["boardroom"]
        assert "○ free" in table["library"]
        code, program = await run(
            deployment.folder,
            *("watch", "--once", "--json", "--protocol", "3.1.1"),
            *("--broker", deployment.broker.url, "--base-topic", "hq/placed", "boardroom", "nowhere"),
        )
        assert code == 0
        reported = [json.loads(line) for line in program.out]
        assert [(one["room"], one["status"], one["why"]) for one in reported] == [
            ("boardroom", "busy", None),
            ("nowhere", "unknown", "no_state"),
        ]
        assert reported[0]["until"] == f"{now + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"


async def test_it_prints_a_line_a_change_and_follows_the_daemon_when_it_ends_and_returns(
    deployment: Deployment,
) -> None:
    deployment.configure()
    async with watching(deployment.folder, deployment.broker) as program:
        async with deployment.daemon():
            line = await printed(program, "boardroom free")
            assert re.fullmatch(r"\d\d:\d\d:\d\d boardroom free", line)
            now = deployment.clock.now()
            deployment.tenant.book("library", now, now + timedelta(minutes=30))
            await printed(program, "library busy until")
        await printed(program, "boardroom unknown: the daemon is offline")
        await printed(program, "library unknown: the daemon is offline")
        output = len(program.out)
        async with deployment.daemon():
            await printed(program, "boardroom free", since=output)
            await printed(program, "library busy", since=output)
        program.signal(signal.SIGINT)
        assert await program.ends() == 0
        assert program.err == []


async def test_it_never_shows_a_room_as_free_once_valid_until_has_passed(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async with Publisher(broker) as publisher, watching(tmp_path, broker, "boardroom") as program:
        await program.wait_for_line("boardroom unknown: no message from the daemon")
        await publisher.publish("placed/bridge/state", ONLINE, retain=True)
        await program.wait_for_line("boardroom unknown: the broker has no state of it")
        await publisher.publish(TOPIC, state(valid_until=moment(1.5)), retain=True)
        await program.wait_for_line("boardroom free")
        await program.wait_for_line("boardroom unknown: valid_until has passed")
        code, again = await run(tmp_path, "watch", "--once", "--json", "--broker", broker.url)
    assert code == 0
    assert json.loads(again.out[0])["why"] == "outdated"


async def test_it_prints_a_line_if_the_presence_changes_but_not_if_it_is_renewed(
    tmp_path: Path, broker: Mosquitto
) -> None:
    since = moment(-60)
    nobody = {"state": "empty", "count": None, "since": since, "valid_until": moment(300)}
    busy: dict[str, Any] = {"status": "busy", "presence": nobody, "use": "booked_empty"}
    async with Publisher(broker) as publisher, watching(tmp_path, broker, "boardroom") as program:
        await publisher.publish("placed/bridge/state", ONLINE, retain=True)
        await publisher.publish(TOPIC, state(**busy), retain=True)
        await program.wait_for_line(
            f"boardroom busy, nobody since {datetime.fromisoformat(since).astimezone():%H:%M}"
        )
        code, once = await run(tmp_path, "watch", "--once", "--json", "--broker", broker.url)
        shown = json.loads(once.out[0])
        assert (code, shown["use"], shown["presence"]["state"]) == (0, "booked_empty", "empty")
        renewed = busy | {"presence": nobody | {"valid_until": moment(400)}}
        await publisher.publish(TOPIC, state(**renewed, seq=2), retain=True)
        await publisher.publish(TOPIC, state(seq=3), retain=True)
        await program.wait_for_line("boardroom free")
    assert sum("nobody" in line for line in program.out) == 1


async def test_it_waits_for_the_broker_and_reports_loss_and_return_once(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto", persistence=True)
    async with watching(tmp_path, broker, "boardroom") as program:
        try:
            line = await program.wait_for_line("trying again")
            assert line == f"placed: 127.0.0.1:{broker.port}: Connection refused; trying again"
            await broker.start()
            async with Publisher(broker) as publisher:
                await publisher.publish("placed/bridge/state", ONLINE, retain=True)
                await publisher.publish(TOPIC, state(), retain=True)
            await program.wait_for_line("connected again")
            await program.wait_for_line("boardroom free")
            await broker.stop()
            await program.wait_for_line("boardroom unknown: not connected to the broker")
            output = len(program.out)
            await broker.start()
            await printed(program, "boardroom free", since=output)
            assert sum("trying again" in line for line in program.err) == 2
        finally:
            await broker.kill()


async def test_once_does_not_wait_for_a_broker(tmp_path: Path) -> None:
    port = free_port()
    code, program = await run(tmp_path, "watch", "--once", "--broker", f"mqtt://127.0.0.1:{port}")
    assert (code, program.out) == (1, [])
    assert program.err == [f"placed: 127.0.0.1:{port}: Connection refused"]


async def test_a_login_that_is_refused_is_a_matter_for_a_person(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto", users={"panel": "hush"})
    await broker.start()
    password = tmp_path / "password"
    write_secret(password, "wrong\n")
    login = ("--username", "panel", "--password-file", str(password))
    try:
        code, program = await run(tmp_path, "watch", "--broker", broker.url, *login)
        assert code == 3
        (line,) = program.err
        assert line.startswith(f"placed: mqtt.username: 127.0.0.1:{broker.port}: the broker refused")
        password.write_text("hush\n")
        code, program = await run(tmp_path, "watch", "--once", "--broker", broker.url, *login)
        assert code == 0
    finally:
        await broker.kill()


async def test_it_reports_that_the_local_clock_is_wrong(tmp_path: Path, broker: Mosquitto) -> None:
    async with Publisher(broker) as publisher:
        await publisher.publish("placed/bridge/state", ONLINE, retain=True)
        await publisher.publish(TOPIC, state(observed_at=moment(300)), retain=True)
        code, program = await run(tmp_path, "watch", "--once", "--broker", broker.url)
        assert code == 0
        (line,) = program.err
        assert re.fullmatch(
            r"placed: the clock here seems to be [45] min behind the daemon's; set it by NTP", line
        )


async def test_published_control_characters_do_not_reach_the_terminal(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async with Publisher(broker) as publisher:
        await publisher.publish("placed/bridge/state", ONLINE, retain=True)
        evil = state("evil", name="\x1b]0;evil\x07 [red]", status="unknown", reason="\x1b[2J")
        await publisher.publish("placed/rooms/evil/state", evil, retain=True)
        await publisher.publish("placed/rooms/junk/state", b"\x1b[2J\xff", retain=True)
        for arguments in (["--once"], ["--lines"]):
            async with Program.start(tmp_path, "watch", "--broker", broker.url, *arguments) as program:
                await program.wait_for_line("unknown", "its state is invalid")
                assert not any("\x1b" in line or "\x07" in line for line in program.out)


async def test_at_a_terminal_it_is_a_table_that_lives(tmp_path: Path, broker: Mosquitto) -> None:
    async with (
        Publisher(broker) as publisher,
        Terminal.start(tmp_path, "watch", "--broker", broker.url) as terminal,
    ):
        await terminal.shows("0 rooms")
        await publisher.publish("placed/bridge/state", ONLINE, retain=True)
        await publisher.publish(TOPIC, state(), retain=True)
        await terminal.shows("Boardroom", "○ free")
        await publisher.publish(
            TOPIC, state(seq=2, status="busy", busy_until=moment(119), valid_until=moment(119)), retain=True
        )
        await terminal.shows("Boardroom", "■ busy", "2 min")
        await publisher.publish("placed/bridge/state", '{"state":"offline","epoch":7}', retain=True)
        await terminal.shows("Boardroom", "◇ unknown", "the daemon is offline")
        await broker.stop()
        await terminal.shows(f"127.0.0.1:{broker.port}: ", "; trying again")
        await terminal.shows("Boardroom", "not connected to the broker")
        terminal.press_ctrl_c()
        assert await terminal.ends() == 0
    assert "Traceback" not in terminal.raw


async def test_without_a_configured_broker_the_command_requires_one(deployment: Deployment) -> None:
    deployment.configure(mqtt=None)
    code, program = await run(deployment.folder, "watch", "-c", deployment.file)
    assert (code, program.err) == (
        3,
        ["placed: mqtt: the configuration names no broker; name one with --broker"],
    )


@pytest.mark.parametrize(
    "arguments", [["a/b"], ["+"], ["--broker", "http://x"], ["--broker", "mqtt://x", "--protocol", "4"]]
)
async def test_what_makes_no_sense_is_a_matter_of_usage(tmp_path: Path, arguments: list[str]) -> None:
    code, _ = await run(tmp_path, "watch", *arguments)
    assert code == 2
