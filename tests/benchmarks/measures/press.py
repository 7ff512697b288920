"""How long it takes from a press at a panel, over MQTT, until the panel has the new state of its room.

The daemon is a process of its own. Panel and calendar service share the process that measures: what the
service takes is part of the figure, some milliseconds a request.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

import aiomqtt

from tests.benchmarks.results import Result, Row
from tests.support.deployment import Deployment
from tests.support.placed_process import Program
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from datetime import datetime

    from tests.benchmarks.workload_size import Effort

AT_MOST = 2000.0  # ms, the service's own time included
_INTERVAL = "60s"  # between two polls, so that the state comes from the reading after the write
_BOOKED = timedelta(minutes=30)
_LONGEST = 10.0  # seconds until a press counts as lost
_SECRET = "s3cret~of~panels"


class Door:
    """The panel of a room: presses, and waits for the state.

    Args:
        client: connected to the broker.
    """

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._states: dict[str, asyncio.Queue[dict[str, object]]] = {}

    def open(self, room: str) -> None:
        """Takes in the states of this room from now on."""
        self._states[room] = asyncio.Queue()

    async def listen(self) -> None:
        """Takes in states, for ever."""
        async for message in self._client.messages:
            room = str(message.topic).split("/")[2]
            if room in self._states and message.payload:
                self._states[room].put_nowait(json.loads(str(message.payload, "utf-8")))

    async def shows(self, room: str, other_than: object) -> dict[str, object]:
        """Waits for a state of the room whose `busy_until` is another."""
        async with asyncio.timeout(_LONGEST):
            while True:
                state = await self._states[room].get()
                if state["status"] != "unknown" and state["busy_until"] != other_than:
                    return state

    async def press(
        self, room: str, action: str, now: datetime, before: dict[str, object]
    ) -> tuple[float, dict[str, object]]:
        """Presses; returns the milliseconds until the room's state is another than before, and the state."""
        until = _text(now + _BOOKED) if action == "book" else None
        current = before["current"]
        meeting = current["start"] if isinstance(current, dict) else None
        payload = {"key": str(uuid.uuid4()), "issued_at": _text(now), "meeting": meeting, "until": until}
        begun = time.perf_counter()
        await self._client.publish(f"placed/rooms/{room}/command/{action}", json.dumps(payload), qos=1)
        state = await self.shows(room, before["busy_until"])
        return (time.perf_counter() - begun) * 1000, state


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _actions(deployment: Deployment) -> str:
    """The tables that allow panels to write, with a registration for it."""
    secret = deployment.folder / "panels.secret"
    write_secret(secret, _SECRET)
    app = deployment.tenant.register_app(secrets=[_SECRET], roles=("Calendars.ReadWrite",))
    return (
        f'[connections.actions]\nclient_id = "{app.client_id}"\nclient_secret_file = "{secret}"\n'
        'allow = ["book", "end"]\n'
    )


async def _measure(rooms: int) -> list[float]:
    """Books and ends a meeting in each room, one after the other."""
    found: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        async with Deployment.open(Path(name)) as deployment:
            tenant = deployment.tenant
            names = [f"door-{number}" for number in range(rooms)]
            for room in names:
                tenant.add_room(room)
            deployment.connect(rooms=names, more=_actions(deployment))
            deployment.configure(polling={"interval": _INTERVAL})
            port = deployment.broker.port
            arguments = ("run", "-c", deployment.file, "--log-format", "json")
            async with (
                aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client,
                Program.start(deployment.folder, *arguments, fresh=True) as program,
            ):
                await program.logged("daemon.became_ready")
                door = Door(client)
                for room in names:
                    door.open(room)
                await client.subscribe("placed/rooms/+/state")
                listening = asyncio.create_task(door.listen())
                for room in names:
                    state = await door.shows(room, "nothing yet")
                    booked, state = await door.press(room, "book", tenant.now(), state)
                    ended, _ = await door.press(room, "end", tenant.now(), state)
                    found += [booked, ended]
                listening.cancel()
    return found


def measure(effort: Effort) -> Result:
    """Presses at the panels of some rooms."""
    rooms = effort.choose(200, 20)
    found = asyncio.run(_measure(rooms))
    hundredths = quantiles(found, n=100, method="inclusive")
    return Result(
        [
            Row(
                "press.p99",
                f"{len(found):,} presses at panels: to the new state at the panel, p99",
                "ms",
                hundredths[98],
                at_most=AT_MOST,
                note=f"p50 {hundredths[49]:.0f} ms, most {max(found):.0f} ms",
            )
        ]
    )
