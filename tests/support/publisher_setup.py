"""A board with rooms, and a publisher that publishes them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.model import Meeting, Room, Schedule
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.mqtt.client.v5 import Mqtt5Client
from placed.mqtt.client.v311 import Mqtt311Client
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher
from placed.mqtt.publisher_context import Timing
from placed.settings.output_settings import HomeAssistant, Mqtt
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.mosquitto import Mosquitto

IMPATIENT = Timing(first_pause=0.05, longest_pause=0.2, debounce=0.05)
NO_DISCOVERY = HomeAssistant()


def room(room_id: str, connection: str = "contoso") -> Room:
    return Room(
        id=room_id,
        connection=connection,
        address=f"{room_id}@contoso.example",
        mailbox=f"{room_id}@contoso.example",
        name=room_id.capitalize(),
        time_zone=ZoneInfo("UTC"),
        building="HQ",
        floor="2",
        capacity=8,
    )


class PublisherSetup:
    """A board with the machine's clock, which may be set forward."""

    def __init__(self, *connections: str, epoch: int = 7, expire_after: float = 900) -> None:
        self.connections = connections or ("contoso",)
        self.ahead = timedelta(0)
        policy = Policy(
            stale_after=timedelta(seconds=expire_after / 2), expire_after=timedelta(seconds=expire_after)
        )
        self.board = Board(policy, Show.NOTHING, self.now, epoch)

    @classmethod
    def furnished(cls) -> Self:
        """One connection, two rooms, one of them busy."""
        publisher_setup = cls()
        publisher_setup.enroll("boardroom", "library")
        publisher_setup.book("boardroom")
        publisher_setup.read("library")
        publisher_setup.report()
        return publisher_setup

    def now(self) -> datetime:
        """The clock on the wall."""
        return datetime.now(UTC) + self.ahead

    def enroll(self, *rooms: str, connection: str = "contoso") -> None:
        """The connection has these rooms, and no others."""
        self.board.enroll(connection, [room(room_id, connection) for room_id in rooms])

    def read(self, room_id: str, *meetings: Meeting) -> None:
        """The room's calendar was read."""
        now = self.now()
        self.board.learn(
            room_id, Schedule(meetings, now - timedelta(days=1), now + timedelta(days=1), read_at=now)
        )

    def book(self, room_id: str) -> None:
        """The room is busy now."""
        self.read(room_id, self.meeting())

    def meeting(self, key: str = "m", **more: Any) -> Meeting:
        """A meeting that by default runs now."""
        now = self.now()
        values = {"start": now - timedelta(minutes=1), "end": now + timedelta(hours=1), **more}
        return Meeting(key, **values)

    def report(self, connection: str = "contoso", state: ConnectionState = ConnectionState.OK) -> None:
        """Reports the connection's health to the board."""
        self.board.report(ConnectionHealth(connection, "microsoft365", state))

    def publisher(
        self,
        broker: Mosquitto | None,
        *,
        timing: Timing = IMPATIENT,
        home_assistant: HomeAssistant = NO_DISCOVERY,
        budget: float = 40,
        **settings: Any,
    ) -> Publisher:
        """A publisher that listens to the board and does not run yet."""
        info = BridgeInfo("0.1", timedelta(seconds=budget), self.connections)
        if broker is not None:
            settings.setdefault("url", broker.url)
        table = Mqtt(**settings)
        publisher = Publisher(
            table, self.board, now=self.now, info=info, home_assistant=home_assistant, timing=timing
        )
        self.board.listeners.append(publisher)
        return publisher


@asynccontextmanager
async def running(publisher: Publisher, *, published: bool = True) -> AsyncIterator[asyncio.Task[None]]:
    """The publisher runs; by default it has published everything. At the end of the block it is stopped."""
    task = asyncio.create_task(publisher.run())
    try:
        if published:
            await first_published(publisher, task)
        yield task
    finally:
        task.cancel()
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def first_published(publisher: Publisher, task: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(publisher.first_published.wait())
    async with asyncio.timeout(DEADLINE):
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()


def cut(publisher: Publisher) -> None:
    """The connection breaks, without leave of either side."""
    session = publisher._session
    assert session is not None
    client = session._client
    if isinstance(client, Mqtt5Client):
        assert client._transport is not None
        assert client._transport._transport is not None
        wire = client._transport._transport.get_extra_info("socket")
    else:
        assert isinstance(client, Mqtt311Client)
        wire = client._client._client.socket()
    wire.shutdown(socket.SHUT_RDWR)
