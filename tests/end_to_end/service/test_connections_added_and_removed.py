"""Connections and rooms come and go while the daemon runs, and those that stay notice nothing."""

from __future__ import annotations

import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.consent_record import ConsentRecord
from placed.store.read_only import read_snapshot
from placed_microsoft365.simulator import Simulator, Tenant
from tests.support.placed_process import Program, run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.support.daemon_environment import Stage
    from tests.support.mosquitto import Arrival, Subscriber

FIRST = ("boardroom", "library")
RETAINED = ("state", "availability", "occupied", "status")
SOON = {"interval": "500ms", "rediscover": "500ms"}


@asynccontextmanager
async def placed(stage: Stage) -> AsyncIterator[Program]:
    """`placed run`, as soon as it is ready; the boardroom is busy."""
    now = stage.clock.now()
    stage.tenant.book("boardroom", now, now + timedelta(hours=1))
    stage.configure(polling=SOON)
    async with Program.start(stage.folder, "run", "-c", stage.file, "--log-format", "json") as program:
        await program.logged("daemon.became_ready")
        yield program
        assert "Traceback" not in "\n".join(program.err)


@pytest.fixture
async def fabrikam(stage: Stage) -> AsyncIterator[Simulator]:
    """Another tenant, with a login host and a Graph of its own; an attic and a cellar are in its group."""
    tenant = Tenant("fabrikam.example", now=stage.clock.now)
    for room in ("attic", "cellar"):
        tenant.add_room(room)
    tenant.add_group("placed-rooms", members=tenant.rooms())
    async with Simulator(tenant) as simulator:
        yield simulator


def connect(stage: Stage, other: Simulator) -> None:
    """Somebody adds a `[[connections]]` table for the other tenant."""
    secret = stage.folder / "fabrikam.secret"
    write_secret(secret, "s3cret~of~fabrikam")
    tenant = other.tenant
    app = tenant.register_app(secrets=[secret.read_text()], roles=["Calendars.Read", "GroupMember.Read.All"])
    group = tenant.group("placed-rooms")
    tenant.restrict(app, group)
    stage.connections.append(
        other.settings_toml(app, name="fabrikam", client_secret_file=secret, room_group=group.address)
    )
    stage.configure(polling=SOON)


async def heard(panel: Subscriber, rooms: Iterable[str]) -> int:
    """How many messages came, the index with the rooms and all of their topics among them."""
    await panel.until(lambda a: a.topic == "placed/rooms" and set(rooms) <= listed(a))
    for room in rooms:
        for topic in RETAINED:
            await panel.message(f"placed/rooms/{room}/{topic}")
    await panel.caught_up()
    return len(panel.arrivals)


async def book_later(stage: Stage, panel: Subscriber) -> None:
    """Books another meeting in the boardroom, and waits until that is published."""
    heard, later = len(panel.arrivals), stage.clock.now() + timedelta(hours=2)
    stage.tenant.book("boardroom", later, later + timedelta(hours=1))
    await panel.message("placed/rooms/boardroom/state", after=heard)


def listed(index: Arrival) -> set[str]:
    return {room["id"] for room in index.document["rooms"]}


def lapses(arrivals: Iterable[Arrival], rooms: Iterable[str]) -> list[str]:
    """Where somebody would have seen a room, or the daemon, gone, for however short."""
    topics = {f"placed/rooms/{room}/{topic}" for room in rooms for topic in RETAINED}
    return [
        f"{a.topic} {a.text}"
        for a in arrivals
        if (a.topic in topics and (a.payload in (b"", b"unknown", b"offline") or b'"unknown"' in a.payload))
        or (a.topic == "placed/bridge/state" and a.document["state"] != "online")
        or (a.topic == "placed/rooms" and not set(rooms) <= listed(a))
    ]


async def kept(stage: Stage) -> set[str]:
    """The rooms that the broker still holds something of."""
    async with stage.listener("placed/rooms/#") as late:
        await late.caught_up()
    return {topic.split("/")[2] for topic in late.latest if topic.count("/") > 1}


async def test_a_second_tenant_is_connected_while_the_first_ones_rooms_go_on(
    stage: Stage, fabrikam: Simulator
) -> None:
    stage.connect()
    async with placed(stage) as program, stage.listener() as panel:
        before = await heard(panel, FIRST)
        connect(stage, fabrikam)
        program.signal(signal.SIGHUP)
        for room in ("attic", "cellar"):
            await panel.message(f"placed/rooms/{room}/status", "free")
        await panel.until(
            lambda a: (
                a.topic == "placed/bridge/health"
                and [(c["name"], c["state"]) for c in a.document["connections"]]
                == [("contoso", "ok"), ("fabrikam", "ok")]
            )
        )
        await book_later(stage, panel)
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], FIRST) == []
        # What did not change is not published again.
        assert {a.text for a in panel.arrivals[before:] if a.topic.endswith("boardroom/status")} <= {"busy"}
        assert {a.topic for a in panel.arrivals[before:] if a.topic.endswith("/event")} <= {
            "placed/rooms/attic/event",
            "placed/rooms/cellar/event",
        }
        assert await kept(stage) == {*FIRST, "attic", "cellar"}


async def test_adding_an_unreachable_tenant_does_not_affect_the_first_connection(
    stage: Stage, fabrikam: Simulator
) -> None:
    stage.connect()
    async with placed(stage) as program, stage.listener() as panel:
        before = await heard(panel, FIRST)
        connect(stage, fabrikam)
        async with fabrikam.outage():
            program.signal(signal.SIGHUP)
            await panel.until(
                lambda a: (
                    a.topic == "placed/bridge/health"
                    and [c["state"] for c in a.document["connections"]] == ["ok", "failing"]
                )
            )
            await book_later(stage, panel)
        await panel.message("placed/rooms/attic/status", "free")
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], FIRST) == []


async def test_rooms_of_the_group_appear_by_themselves_and_go_again(
    stage: Stage, fabrikam: Simulator
) -> None:
    stage.connect()
    connect(stage, fabrikam)
    tenant = fabrikam.tenant
    async with placed(stage), stage.listener() as panel:
        before = await heard(panel, (*FIRST, "attic"))
        tenant.add_room("tower", name="Tower")
        tenant.add_member("placed-rooms", "tower")
        await panel.message("placed/rooms/tower/status", "free")
        index = await panel.until(lambda a: a.topic == "placed/rooms" and b"tower" in a.payload)
        assert {r["id"]: r["name"] for r in index.document["rooms"]}["tower"] == "Tower"

        gone = len(panel.arrivals)
        tenant.remove_member("placed-rooms", "cellar")
        for topic in RETAINED:
            await panel.message(f"placed/rooms/cellar/{topic}", "", after=gone)
        await panel.until(lambda a: a.topic == "placed/rooms" and b"cellar" not in a.payload, after=gone)
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], (*FIRST, "attic")) == []
        assert await kept(stage) == {*FIRST, "attic", "tower"}

        tenant.add_member("placed-rooms", "cellar")
        await panel.message("placed/rooms/cellar/status", "free", after=len(panel.arrivals))


async def test_a_connection_that_is_taken_out_is_cleared_by_the_reload(
    stage: Stage, fabrikam: Simulator
) -> None:
    stage.connect()
    connect(stage, fabrikam)
    async with placed(stage) as program, stage.listener() as panel:
        before = await heard(panel, (*FIRST, "attic", "cellar"))
        del stage.connections[1]
        stage.configure(polling=SOON)
        program.signal(signal.SIGHUP)
        for room in ("attic", "cellar"):
            for topic in RETAINED:
                await panel.message(f"placed/rooms/{room}/{topic}", "", after=before)
        await panel.until(lambda a: a.topic == "placed/rooms" and b"attic" not in a.payload, after=before)
        await program.logged("configuration.was_reloaded")
        asked = len(fabrikam.requests)
        meeting = stage.tenant.book("library", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy")
        stage.tenant.delete(meeting)
        await panel.message("placed/rooms/library/status", "free", after=len(panel.arrivals))
        await panel.caught_up()
        assert len(fabrikam.requests) == asked
        assert lapses(panel.arrivals[before:], FIRST) == []
        assert await kept(stage) == set(FIRST)

        # What is left is the record of its consent; the daemon that runs beside it is not disturbed.
        before = len(panel.arrivals)
        code, command = await run(stage.folder, "disconnect", "fabrikam", "--yes", "-c", stage.file)
        assert code == 0, command.err
        assert "cleared in the state: its consent record" in command.out
        kept_of = read_snapshot(stage.state_directory)
        assert kept_of.consent("fabrikam") == ConsentRecord()
        assert {key.partition("/")[0] for key in kept_of.room_ids} == {"contoso"}
        stage.tenant.book("library", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy", after=before)
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], FIRST) == []


async def test_a_connection_removed_while_the_daemon_was_down_is_cleared_at_the_next_start(
    stage: Stage, fabrikam: Simulator
) -> None:
    stage.connect()
    connect(stage, fabrikam)
    async with stage.daemon(), stage.listener() as panel:
        await heard(panel, (*FIRST, "attic", "cellar"))
    assert await kept(stage) == {*FIRST, "attic", "cellar"}
    del stage.connections[1]
    stage.configure(polling=SOON)
    async with stage.daemon(), stage.listener() as panel:
        for room in ("attic", "cellar"):
            for topic in RETAINED:
                await panel.message(f"placed/rooms/{room}/{topic}", "")
        await panel.until(lambda a: a.topic == "placed/rooms" and b"attic" not in a.payload)
    assert await kept(stage) == set(FIRST)
