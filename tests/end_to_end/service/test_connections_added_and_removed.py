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

    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival, Subscriber

FIRST = ("boardroom", "library")
RETAINED = ("state", "availability", "occupied", "status")
SOON = {"interval": "500ms", "rediscover": "500ms"}


@asynccontextmanager
async def placed(deployment: Deployment) -> AsyncIterator[Program]:
    """`placed run`, as soon as it is ready; the boardroom is busy."""
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now, now + timedelta(hours=1))
    deployment.configure(polling=SOON)
    async with Program.start(
        deployment.folder, "run", "-c", deployment.file, "--log-format", "json"
    ) as program:
        await program.logged("daemon.became_ready")
        yield program
        assert "Traceback" not in "\n".join(program.err)


@pytest.fixture
async def fabrikam(deployment: Deployment) -> AsyncIterator[Simulator]:
    """Another tenant, with a login host and a Graph of its own; an attic and a cellar are in its group."""
    tenant = Tenant("fabrikam.example", now=deployment.clock.now)
    for room in ("attic", "cellar"):
        tenant.add_room(room)
    tenant.add_group("placed-rooms", members=tenant.rooms())
    async with Simulator(tenant) as simulator:
        yield simulator


def connect(deployment: Deployment, other: Simulator) -> None:
    """Somebody adds a `[[connections]]` table for the other tenant."""
    secret = deployment.folder / "fabrikam.secret"
    write_secret(secret, "s3cret~of~fabrikam")
    tenant = other.tenant
    app = tenant.register_app(secrets=[secret.read_text()], roles=["Calendars.Read", "GroupMember.Read.All"])
    group = tenant.group("placed-rooms")
    tenant.restrict(app, group)
    deployment.connections.append(
        other.settings_toml(app, name="fabrikam", client_secret_file=secret, room_group=group.address)
    )
    deployment.configure(polling=SOON)


async def heard(panel: Subscriber, rooms: Iterable[str]) -> int:
    """How many messages came, the index with the rooms and all of their topics among them."""
    await panel.until(lambda a: a.topic == "placed/rooms" and set(rooms) <= listed(a))
    for room in rooms:
        for topic in RETAINED:
            await panel.message(f"placed/rooms/{room}/{topic}")
    await panel.caught_up()
    return len(panel.arrivals)


async def book_later(deployment: Deployment, panel: Subscriber) -> None:
    """Books another meeting in the boardroom, and waits until that is published."""
    heard, later = len(panel.arrivals), deployment.clock.now() + timedelta(hours=2)
    deployment.tenant.book("boardroom", later, later + timedelta(hours=1))
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


async def kept(deployment: Deployment) -> set[str]:
    """The rooms that the broker still holds something of."""
    async with deployment.listener("placed/rooms/#") as late:
        await late.caught_up()
    return {topic.split("/")[2] for topic in late.latest if topic.count("/") > 1}


async def test_a_second_tenant_is_connected_while_the_first_ones_rooms_go_on(
    deployment: Deployment, fabrikam: Simulator
) -> None:
    deployment.connect()
    async with placed(deployment) as program, deployment.listener() as panel:
        before = await heard(panel, FIRST)
        connect(deployment, fabrikam)
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
        await book_later(deployment, panel)
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], FIRST) == []
        # What did not change is not published again.
        assert {a.text for a in panel.arrivals[before:] if a.topic.endswith("boardroom/status")} <= {"busy"}
        assert {a.topic for a in panel.arrivals[before:] if a.topic.endswith("/event")} <= {
            "placed/rooms/attic/event",
            "placed/rooms/cellar/event",
        }
        assert await kept(deployment) == {*FIRST, "attic", "cellar"}


async def test_adding_an_unreachable_tenant_does_not_affect_the_first_connection(
    deployment: Deployment, fabrikam: Simulator
) -> None:
    deployment.connect()
    async with placed(deployment) as program, deployment.listener() as panel:
        before = await heard(panel, FIRST)
        connect(deployment, fabrikam)
        async with fabrikam.outage():
            program.signal(signal.SIGHUP)
            await panel.until(
                lambda a: (
                    a.topic == "placed/bridge/health"
                    and [c["state"] for c in a.document["connections"]] == ["ok", "failing"]
                )
            )
            await book_later(deployment, panel)
        await panel.message("placed/rooms/attic/status", "free")
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], FIRST) == []


async def test_rooms_of_the_group_appear_by_themselves_and_go_again(
    deployment: Deployment, fabrikam: Simulator
) -> None:
    deployment.connect()
    connect(deployment, fabrikam)
    tenant = fabrikam.tenant
    async with placed(deployment), deployment.listener() as panel:
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
        assert await kept(deployment) == {*FIRST, "attic", "tower"}

        tenant.add_member("placed-rooms", "cellar")
        await panel.message("placed/rooms/cellar/status", "free", after=len(panel.arrivals))


async def test_a_connection_that_is_taken_out_is_cleared_by_the_reload(
    deployment: Deployment, fabrikam: Simulator
) -> None:
    deployment.connect()
    connect(deployment, fabrikam)
    async with placed(deployment) as program, deployment.listener() as panel:
        before = await heard(panel, (*FIRST, "attic", "cellar"))
        del deployment.connections[1]
        deployment.configure(polling=SOON)
        program.signal(signal.SIGHUP)
        for room in ("attic", "cellar"):
            for topic in RETAINED:
                await panel.message(f"placed/rooms/{room}/{topic}", "", after=before)
        await panel.until(lambda a: a.topic == "placed/rooms" and b"attic" not in a.payload, after=before)
        await program.logged("configuration.was_reloaded")
        asked = len(fabrikam.requests)
        meeting = deployment.tenant.book(
            "library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
        )
        await panel.message("placed/rooms/library/status", "busy")
        deployment.tenant.delete(meeting)
        await panel.message("placed/rooms/library/status", "free", after=len(panel.arrivals))
        await panel.caught_up()
        assert len(fabrikam.requests) == asked
        assert lapses(panel.arrivals[before:], FIRST) == []
        assert await kept(deployment) == set(FIRST)

        # What is left is the record of its consent; the daemon that runs beside it is not disturbed.
        before = len(panel.arrivals)
        code, command = await run(deployment.folder, "disconnect", "fabrikam", "--yes", "-c", deployment.file)
        assert code == 0, command.err
        assert "cleared in the state: its consent record" in command.out
        kept_of = read_snapshot(deployment.state_directory)
        assert kept_of.consent("fabrikam") == ConsentRecord()
        assert {key.partition("/")[0] for key in kept_of.room_ids} == {"contoso"}
        deployment.tenant.book("library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy", after=before)
        await panel.caught_up()
        assert lapses(panel.arrivals[before:], FIRST) == []


async def test_a_connection_removed_while_the_daemon_was_down_is_cleared_at_the_next_start(
    deployment: Deployment, fabrikam: Simulator
) -> None:
    deployment.connect()
    connect(deployment, fabrikam)
    async with deployment.daemon(), deployment.listener() as panel:
        await heard(panel, (*FIRST, "attic", "cellar"))
    assert await kept(deployment) == {*FIRST, "attic", "cellar"}
    del deployment.connections[1]
    deployment.configure(polling=SOON)
    async with deployment.daemon(), deployment.listener() as panel:
        for room in ("attic", "cellar"):
            for topic in RETAINED:
                await panel.message(f"placed/rooms/{room}/{topic}", "")
        await panel.until(lambda a: a.topic == "placed/rooms" and b"attic" not in a.payload)
    assert await kept(deployment) == set(FIRST)
