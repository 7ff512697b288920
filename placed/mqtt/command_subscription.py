"""The connection over which commands of panels arrive: subscribes, passes them on, replies, reconnects.

It has a client identifier of its own, so that a flood of commands cannot delay what the publisher sends, and
begins a new session each time: a command that was sent while we were away is lost, and never late. It writes
nothing but replies.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import structlog

from placed.domain.command_message import LARGEST
from placed.mqtt.backoff import Backoff
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client_options import client_id_of
from placed.mqtt.command_intake import CommandIntake
from placed.mqtt.command_queue import CommandQueue
from placed.mqtt.command_replies import Replies
from placed.mqtt.command_topics import command_filter, panel_filter, read_panel_topic
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.connection_problems import (
    BrokerLost,
    Trouble,
    no_qos_1,
    not_subscribed,
    unexplained,
    why_lost,
    why_not_connected,
)
from placed.mqtt.publisher_context import Timing
from placed.mqtt.room_index import is_room_id
from placed.mqtt.topics import Topics
from placed.mqtt.unused_commands import DROPPED, UnusedCommands

if TYPE_CHECKING:
    from placed.board.board import Board
    from placed.domain.command_sink import CommandSink
    from placed.domain.panel_signs import PanelSigns
    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.publish_properties import Received
    from placed.mqtt.client_options import Login
    from placed.mqtt.command_intake import CommandMessage

SLICE = 20  # commands that are taken in before other tasks get a turn on the event loop
_BEYOND_PAYLOAD = 64 * 1024 + 1024  # bytes of a packet beside its payload: the topic and properties
_ONLINE = b"online"  # of a panel; everything else, also its will, is that it is not there
_SUBSCRIBE_AGAIN = 60.0  # seconds after which a refused subscription is tried again
_DEFAULT_TIMING = Timing()

_log = structlog.get_logger("placed.commands")


def command_options(login: Login) -> ConnectOptions:
    """The options of the connection: a client identifier of its own, a clean start, no large messages."""
    return replace(
        login.options,
        client_id=f"{client_id_of(login.settings)}-commands",
        largest_incoming=LARGEST + _BEYOND_PAYLOAD,
    )


class CommandSubscription:
    """Takes commands from the broker.

    Args:
        login: of the daemon.
        sink: carries the commands out.
        board: knows the rooms.
        timing: of the reconnects.
        signs: notes which panels are there; None if nobody needs to know.
        counts: counts messages that are not used; new ones if None.

    Attributes:
        connected: set while there is a connection and it is subscribed.
        counts: messages that were not used.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it stands between
        self,
        login: Login,
        sink: CommandSink,
        board: Board,
        timing: Timing = _DEFAULT_TIMING,
        signs: PanelSigns | None = None,
        counts: UnusedCommands | None = None,
    ) -> None:
        self.connected = asyncio.Event()
        self.counts = counts or UnusedCommands(time.monotonic)
        self._options = command_options(login)
        self._address = login.address
        self._protocol = login.settings.protocol
        self._timing = timing
        self._replies = Replies(self.counts)
        self._signs = signs
        self._topics = topics = Topics(login.settings.base_topic)
        self._filter = command_filter(topics)
        self._intake = CommandIntake(
            topics, sink, board, replies=self._replies, counts=self.counts, steady=time.monotonic
        )
        self._queue: CommandQueue[CommandMessage] = CommandQueue()
        self._arrived = asyncio.Event()
        self._trouble: Trouble | None = None
        self._known: Trouble | None = None  # the trouble by the error alone, before it was diagnosed

    async def run(self) -> None:
        """Takes commands until it is cancelled. A broker that is away, or refuses us, is tried again."""
        working = asyncio.create_task(self._take_in())
        try:
            await self._stay_connected()
        finally:
            working.cancel()
            await asyncio.wait([working])
            self._intake.close()

    # --- the connection ---

    async def _stay_connected(self) -> NoReturn:
        loop, timing = asyncio.get_running_loop(), self._timing
        backoff = Backoff(timing.first_pause, timing.longest_pause, random.random)
        while True:
            began = None
            client = new_client(self._options)
            client.receive = self._put
            try:
                await self._open(client)
                began = loop.time()
                await self._serve(client)
            except MqttError as error:
                self._report(why_lost(error))
            except BrokerLost as lost:
                self._report(lost.trouble)
            finally:
                self.connected.clear()
                if self._signs is not None:
                    self._signs.broker_is_lost()
                await client.close()
            if began is not None and loop.time() - began > timing.stable_after:
                backoff.reset()
            await asyncio.sleep(backoff.next_pause())

    async def _open(self, client: BrokerClient) -> None:
        try:
            await client.open()
        except (MqttError, ValueError) as error:
            trouble = known = why_not_connected(error, self._protocol)
            if unexplained(error):
                again = known == self._known and self._trouble is not None
                trouble = self._trouble if again and self._trouble else await diagnose(error, self._options)
            self._known = known
            raise BrokerLost(trouble) from error
        if not client.takes_qos_1:
            raise BrokerLost(no_qos_1())

    async def _serve(self, client: BrokerClient) -> None:
        """Takes commands and publishes replies until the connection is lost.

        Raises:
            MqttError: it is.
        """
        publishing = asyncio.create_task(self._replies.publish_over(client))
        try:
            while not await self._subscribe(client):
                await _ended_within(client, _SUBSCRIBE_AGAIN)
            await self._follow_panels(client)
            self._is_connected()
            await client.ended()
        finally:
            publishing.cancel()
            await asyncio.wait([publishing])
            if not publishing.cancelled():
                publishing.exception()  # the connection's own, which is raised above

    async def _subscribe(self, client: BrokerClient) -> bool:
        (code,) = await client.subscribe([self._filter], live_only=True)
        refused = not_subscribed(self._filter, code)
        if refused is not None:
            self._report(refused)
        return refused is None

    async def _follow_panels(self, client: BrokerClient) -> None:
        """Without the right to that, panels of this broker are no way to check in; all else goes on."""
        if self._signs is not None:
            topics = panel_filter(self._topics)
            (code,) = await client.subscribe([topics])
            refused = not_subscribed(topics, code)
            if refused is not None:
                _log.info("commands.panels_are_not_followed", problem=refused.problem.text)

    # --- messages ---

    def _put(self, received: Received) -> None:
        room_id = read_panel_topic(self._topics, received.topic)
        if room_id is not None:
            if self._signs is not None and is_room_id(room_id):
                is_there = received.payload.strip().lower() == _ONLINE
                self._signs.panel_is_connected(room_id, connected=is_there)
            return
        message = self._intake.read(received)
        if message is None:
            return
        if self._queue.put(received.topic, message):
            self._arrived.set()
        else:
            self.counts.note(DROPPED)

    async def _take_in(self) -> NoReturn:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                for _ in range(min(SLICE, len(self._queue))):
                    self._intake.take(self._queue.take())
                await asyncio.sleep(0)

    # --- what it reports ---

    def _is_connected(self) -> None:
        self._trouble = self._known = None
        self.connected.set()
        _log.info("commands.are_taken", broker=self._address, topics=self._filter)

    def _report(self, trouble: Trouble) -> None:
        """Keeps the trouble, and logs it if it is news."""
        before, self._trouble = self._trouble, trouble
        if trouble.is_news_after(before):
            _log.warning(
                trouble.event,
                broker=self._address,
                connection="commands",
                problem=trouble.problem.text,
                remedy=trouble.problem.remedy or None,
            )


async def _ended_within(client: BrokerClient, seconds: float) -> None:
    """Waits for so long; raises if the connection is lost before."""
    try:
        async with asyncio.timeout(seconds):
            await client.ended()
    except TimeoutError:
        return
