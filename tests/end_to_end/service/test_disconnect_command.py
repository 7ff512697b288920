"""`placed disconnect`: one connection goes, with all that placed holds of it; the others notice nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.consent_record import ConsentRecord
from placed.driver import Consent
from placed.store import Journal
from placed.store.read_only import read_snapshot
from placed.store.records import Key, Kind
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port
from tests.support.mosquitto import Subscriber
from tests.support.placed_process import run

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

LIBRARY = [f"placed/rooms/library/{topic}" for topic in ("state", "availability", "occupied", "status")]
FENCE = '[connections.fence]\nkind = "access-policy"\n'


@pytest.fixture
async def two(deployment: Deployment) -> Deployment:
    """A daemon was there that read the boardroom with one connection and the library with another."""
    deployment.connect("contoso", rooms=["boardroom"])
    deployment.connect("fabrikam", rooms=["library"], more=FENCE)
    deployment.configure()
    async with deployment.daemon():
        pass
    with noted(deployment) as journal:
        for name in ("contoso", "fabrikam"):
            journal.consent(name).save(ConsentRecord(Consent.GRANTED))
    return deployment


async def kept(deployment: Deployment) -> dict[str, tuple[bytes, Any]]:
    """All that the broker holds, with when it would expire left out, as that goes on by itself."""
    async with Subscriber(deployment.broker, "placed/#") as late:
        await late.caught_up()
    return {
        topic: (a.payload, {k: v for k, v in a.properties.items() if k != "MessageExpiryInterval"})
        for topic, a in late.latest.items()
    }


def remembered(deployment: Deployment) -> dict[str, str]:
    return read_snapshot(deployment.state_directory).room_ids


def consents(deployment: Deployment) -> set[str]:
    seen = read_snapshot(deployment.state_directory)
    return {name for name in ("contoso", "fabrikam") if seen.consent(name) != ConsentRecord()}


def noted(deployment: Deployment) -> closing[Journal]:
    return closing(Journal(deployment.state_directory))


async def disconnect(deployment: Deployment, *arguments: str | Path) -> tuple[int, list[str], list[str]]:
    """The exit code, and the lines on stdout and stderr."""
    code, program = await run(deployment.folder, "disconnect", "-c", deployment.file, *arguments)
    return code, program.out, program.err


def without(deployment: Deployment, place: int) -> None:
    """Somebody takes a table out of the configuration."""
    del deployment.connections[place]
    deployment.configure()


async def test_it_takes_one_connection_away_and_leaves_the_other_to_the_byte(two: Deployment) -> None:
    before = await kept(two)
    assert "placed/rooms/library/state" in before
    without(two, 1)
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, err) == (0, [])
    assert out[:6] == [
        "connection fabrikam",
        "  configuration: does not contain it any more",
        f"  broker 127.0.0.1:{two.broker.port}: topics of 1 room",
        f"  state in {two.state_directory}: the id of 1 room and its consent record",
        "cleared on the broker: topics of 1 room",
        "cleared in the state: the id of 1 room and its consent record",
    ]
    assert "undo script" in "\n".join(out[6:])

    after = await kept(two)
    assert not [topic for topic in after if "library" in topic]
    index, was = json.loads(after.pop("placed/rooms")[0]), json.loads(before.pop("placed/rooms")[0])
    assert index == was | {"rooms": [room for room in was["rooms"] if room["id"] == "boardroom"]}
    assert after == {topic: reported for topic, reported in before.items() if "library" not in topic}
    assert remembered(two) == {"contoso/boardroom@contoso.example": "boardroom"}
    assert consents(two) == {"contoso"}

    async with two.listener() as panel:
        await panel.caught_up()
        heard = len(panel.arrivals)
        async with two.daemon():
            await panel.message("placed/rooms/boardroom/status", "free", after=heard)
            await panel.caught_up()
            assert "library" not in "".join(a.topic + a.text for a in panel.arrivals[heard:])
            assert set(panel.latest) == {*before, "placed/rooms"} - set(LIBRARY)


async def test_for_a_configured_connection_it_names_what_to_remove_and_how_to_revoke(two: Deployment) -> None:
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, err) == (0, [])
    assert out[1] == f"  configuration: {two.file}: connections[1]"
    text = "\n".join(out)
    assert f"It is still in the configuration: {two.file}: connections[1]." in text
    assert "systemctl reload placed" in text
    client_id = two.tenant.apps.keys() - {next(iter(two.tenant.apps))}
    assert client_id.pop() in text
    assert "Remove-ApplicationAccessPolicy" in text
    assert "library" not in json.dumps([*(await kept(two))])


@pytest.mark.parametrize("known_by", ["state", "consent", "broker"])
async def test_one_source_that_knows_the_connection_is_enough(two: Deployment, known_by: str) -> None:
    without(two, 1)
    with noted(two) as journal:
        if known_by != "state":
            journal.write([(Key(Kind.IDS, "fabrikam"), None)])
        if known_by != "consent":
            journal.write([(Key(Kind.CONSENT, "fabrikam"), None)])
    if known_by != "broker":
        await two.broker.restart()
    assert (await disconnect(two, "fabrikam", "--yes"))[0] == 0
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, out) == (2, [])
    assert "\n".join(err) == (
        f"placed: there is no connection fabrikam: {two.file}, the state in {two.state_directory} and "
        f"the broker 127.0.0.1:{two.broker.port} contain none"
    )


async def test_a_daemon_that_reads_it_keeps_it_unless_it_is_forced(two: Deployment) -> None:
    async with two.daemon() as running:
        before = await kept(two)
        code, out, err = await disconnect(two, "fabrikam", "--yes")
        assert code == 1
        assert "Remove-ApplicationAccessPolicy" in "\n".join(out)  # later nobody knows what was granted
        assert "\n".join(err) == (
            "placed: a daemon uses fabrikam and would publish it again: remove its table "
            f"({two.file}: connections[1]), and reload the daemon (systemctl reload placed); "
            "then run this again, or use --force"
        )
        without(two, 1)
        code, _, err = await disconnect(two, "fabrikam", "--yes")
        assert (code, len(err)) == (1, 1)
        assert "publish it again: reload the daemon (systemctl reload placed); then" in err[0]
        assert (await kept(two)).keys() == before.keys()
        assert len(remembered(two)) == 2
        async with two.listener() as panel:
            assert (await disconnect(two, "fabrikam", "--yes", "--force"))[0] == 0
            await panel.message("placed/rooms/library/state", "")
            assert not running.task.done()
            assert panel.latest["placed/bridge/state"].document["state"] == "online"


async def test_the_only_connection_of_a_daemon_wants_the_daemon_stopped(deployment: Deployment) -> None:
    deployment.configure()
    async with deployment.daemon():
        code, _, err = await disconnect(deployment, "contoso", "--yes")
        assert (code, len(err)) == (1, 1)
        assert "stop the daemon (systemctl stop placed), since there is no other connection" in err[0]
    code, out, _ = await disconnect(deployment, "contoso", "--yes")
    assert code == 0
    assert "keep it stopped" in "\n".join(out)
    assert not [topic for topic in await kept(deployment) if topic.startswith("placed/rooms/")]
    assert remembered(deployment) == {}


async def test_without_a_broker_what_is_stored_goes(two: Deployment) -> None:
    two.configure(mqtt=None)
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, err) == (0, [])
    assert out[2] == "  broker: not configured"
    assert list(remembered(two)) == ["contoso/boardroom@contoso.example"]
    assert consents(two) == {"contoso"}


@pytest.mark.parametrize("trouble", ["away", "login", "rights"])
async def test_while_the_broker_is_in_the_way_nothing_is_touched_so_that_it_can_be_repeated(
    two: Deployment, trouble: str
) -> None:
    match trouble:
        case "away":
            two.configure(mqtt={"url": f"mqtt://127.0.0.1:{free_port()}"})
        case "login":
            await locked(two, users={"somebody": "else"})
        case _:
            await locked(two, access=["topic read placed/#"])
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert code == 1
    assert len(err) == 1
    assert err[0].startswith(f"placed: {two.file}: mqtt.")
    assert not [line for line in out if line.startswith("cleared")]
    assert len(remembered(two)) == 2
    assert consents(two) == {"contoso", "fabrikam"}


async def locked(deployment: Deployment, **options: Any) -> None:
    """Another broker, which does not let everybody do everything; what it holds is of fabrikam."""
    await deployment.broker.stop()
    deployment.broker = type(deployment.broker)(deployment.folder / "locked", persistence=True)
    await deployment.broker.start()
    async with deployment.listener() as somebody:
        reported = json.dumps({"connection": "fabrikam"})
        await somebody.publish("placed/rooms/library/state", reported, retain=True)
    await deployment.broker.stop()
    deployment.broker = type(deployment.broker)(deployment.folder / "locked", persistence=True, **options)
    await deployment.broker.start()
    deployment.configure()


async def test_an_unusable_state_directory_is_reported_before_anything_is_cleared(two: Deployment) -> None:
    before = await kept(two)
    (two.state_directory / "journal.db").write_text("[")
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, out) == (1, [])
    file = two.state_directory / "journal.db"
    assert err == [f"placed: {file}: it is damaged; take the file away, or put a better one back"]
    assert await kept(two) == before


async def test_the_state_directory_can_be_named(two: Deployment) -> None:
    elsewhere = two.folder / "elsewhere"
    two.state_directory.rename(elsewhere)
    code, out, _ = await disconnect(two, "fabrikam", "--yes", "--state-directory", elsewhere)
    assert code == 0
    assert f"  state in {elsewhere}: the id of 1 room and its consent record" in out
    with closing(Journal(elsewhere)) as journal:
        assert [key for kind in Kind for key in journal.all(kind) if key.connection == "fabrikam"] == []
    assert b"library" not in (elsewhere / "journal.db").read_bytes()  # neither is it left in the file


# --- usage --------------------------------------------------------------------------------------------------


async def test_what_makes_no_sense_is_a_matter_of_usage(tmp_path: Path) -> None:
    """Not a file is looked at, neither is one that a name leads to."""
    for arguments, reported in (
        (["fabrikam"], "confirm with --yes"),
        (["../state", "--yes"], "a-z, 0-9, - and _ only"),
        (["Fabrikam", "--yes"], "a-z, 0-9, - and _ only"),
        ([], "Missing argument"),
    ):
        code, program = await run(tmp_path, "disconnect", *arguments)
        assert (code, program.out) == (2, [])
        assert reported in " ".join(program.err)


async def test_an_invalid_configuration_is_reported_as_by_every_command(two: Deployment) -> None:
    two.file.write_text("[")
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, out, len(err)) == (3, [], 1)
    two.configure(mqtt={"url": two.broker.url, "username": "placed", "password_file": "/nowhere"})
    code, out, err = await disconnect(two, "fabrikam", "--yes")
    assert (code, out, len(err)) == (3, [], 1)
    assert err[0].startswith(f"placed: {two.file}: mqtt.password_file: ")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1)])
async def test_at_a_terminal_the_command_asks_for_confirmation(
    two: Deployment, answer: str, code: int
) -> None:
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("placed"), "disconnect", "fabrikam", "-c", two.file),
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "STATE_DIRECTORY": str(two.state_directory)},
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    os.close(ours)
    assert process.returncode == code
    assert b"Clear it? [y/N]: " in out
    assert (b"nothing was cleared" in out) is bool(code)
    assert len(remembered(two)) == 1 + code
    assert ("placed/rooms/library/state" in await kept(two)) is bool(code)
