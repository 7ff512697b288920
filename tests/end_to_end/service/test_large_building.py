"""5,500 rooms, of which four cannot be read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import building_of
from tests.support.deployment import Deployment
from tests.support.notify_socket import Manager
from tests.support.placed_process import Program
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Arrival

ROOMS = 5500
BATCHES = ROOMS // 20
PROMISED = 30.0  # seconds from the start until everything is on the broker
WELL = f"STATUS={ROOMS} rooms in 1 connection(s), 4 not readable; fence contoso unproven"
BROKEN = {
    "room-00007": "forbidden",
    "room-01234": "not_found",
    "room-02500": "throttled",
    "room-05499": "malformed",
}


@pytest.mark.alone  # it measures how long 5,500 rooms take
async def test_each_of_5500_rooms_is_read_and_published_and_one_failure_affects_no_other(
    tmp_path: Path,
) -> None:
    async with Deployment.open(tmp_path, building_of(ROOMS)) as deployment:
        faults = deployment.tenant.faults
        faults.forbidden(room="room-00007")
        faults.status(404, code="ErrorInvalidUser", room="room-01234")  # deleted since it was found
        faults.throttled(room="room-02500", retry_after="5")
        faults.wrong_types(room="room-05499")
        deployment.connect(room_list="rooms@contoso.example")
        deployment.configure(polling={"interval": "10m"})
        with Manager.listening(tmp_path) as systemd:
            environment = {"NOTIFY_SOCKET": systemd.address}
            async with (
                deployment.listener("placed/rooms/+/state", "placed/rooms") as panel,
                Program.start(
                    tmp_path,
                    "run",
                    "-c",
                    deployment.file,
                    "--log-format",
                    "json",
                    environment=environment,
                    fresh=True,
                ) as program,
            ):
                listening = await program.logged("http.is_listening")
                async with Web(listening["url"]) as web:
                    published_at = await all_rooms_published(program, panel, web)
                    assert sum(len(items) == 20 for items in deployment.batches) == BATCHES
                    last = max(r.time for r in deployment.simulator.requests if len(r.items) == 20)
                output = systemd.heard
                async with asyncio.timeout(PROMISED):
                    while WELL not in output:
                        output += await systemd.more()
    begun = moment(listening)
    found = moment(await program.logged("rooms.were_found"))
    print(  # noqa: T201
        f"{ROOMS} rooms: found after {(found - begun).total_seconds():.1f} s, "
        f"last batch asked after {(last - begun).total_seconds():.1f} s, "
        f"everything on the broker after {(published_at - begun).total_seconds():.1f} s"
    )
    assert (published_at - begun).total_seconds() < PROMISED
    assert [line for line in output if f" of {ROOMS}" in line]
    progress = [entry for entry in program.logs if entry["event"] == "rooms.are_being_read"]
    assert progress
    assert all(entry["total"] == ROOMS for entry in progress)


async def all_rooms_published(program: Program, panel: Any, web: Web) -> datetime:
    """Every room is known on every way out, except the broken ones; these have a reason.

    Gives when the last one came. On a machine with much to do the service may be ready before that.
    """
    known = set()

    def is_last(arrival: Arrival) -> bool:
        if arrival.topic != "placed/rooms":
            state = arrival.document
            if state["status"] != "unknown" or state["reason"] == BROKEN.get(state["room"]):
                known.add(state["room"])
        return len(known) == ROOMS

    await panel.until(is_last)
    published_at = datetime.now(UTC)
    await program.logged("daemon.became_ready", rooms=ROOMS)
    await program.logged("rooms.became_unreadable")  # the round is over
    await panel.caught_up()
    states = {t: a.document for t, a in panel.latest.items() if t != "placed/rooms"}
    assert len(states) == ROOMS
    unknown = {s["room"]: s["reason"] for s in states.values() if s["status"] == "unknown"}
    assert unknown == BROKEN
    listing = await web.json("/api/v1/rooms")
    assert {r["room"] for r in listing["rooms"]} == {s["room"] for s in states.values()}
    assert {r["room"]: r["reason"] for r in listing["rooms"] if r["status"] == "unknown"} == BROKEN
    assert len(panel.latest["placed/rooms"].document["rooms"]) == ROOMS
    connection = (await web.json("/api/v1/connections"))["connections"][0]
    assert connection["state"] == "ok"
    assert {failing["room"]: failing["reason"] for failing in connection["failing"]} == BROKEN
    return published_at


def moment(entry: dict[str, Any]) -> datetime:
    """When an entry was logged."""
    return datetime.fromisoformat(entry["timestamp"])
