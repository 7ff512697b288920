"""The publisher that is used now, for parts that stay when a reload replaces it."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from placed.board.board import Board
    from placed.domain.mqtt_delivery_status import Undelivered
    from placed.runtime.prepared_configuration import Prepared
    from placed.runtime.replaceable_tasks import ReplaceableTasks
    from placed.settings.schema import Settings

log = structlog.get_logger("placed.runtime.daemon")


class NoBroker:
    """Stands for the publisher where no broker is configured. Does nothing."""

    configured = False
    connected = False
    last_error: str | None = None
    messages_published = 0
    messages_refused: Mapping[str, int] = MappingProxyType({})
    undelivered: Sequence[Undelivered] = ()
    all_acknowledged = True
    reconnects = 0
    was_connected = False

    async def run(self) -> None:
        """Nothing is published."""
        await asyncio.Event().wait()

    async def published(self) -> None:
        """There is nothing to wait for."""

    def stop_without_offline(self) -> None:
        """There is no broker to leave."""

    def stop_with_will(self) -> None:
        """There is no broker to leave."""


class CurrentPublisher:
    """The publisher that is used now, as a `DeliveryStatus` that outlives a change of the settings.

    Args:
        make: makes the publisher of a configuration; the second argument is whether it is patient.
        board: is listened to.
        prepared: what it begins with.

    Attributes:
        now: the publisher that is used now.
    """

    def __init__(
        self, make: Callable[[Prepared, bool], Publisher | NoBroker], board: Board, prepared: Prepared
    ) -> None:
        self._make = make
        self._board = board
        self.now = make(prepared, False)  # noqa: FBT003 - see `make`

    def start(self, tasks: ReplaceableTasks, settings: Settings) -> None:
        """Publishes from now on."""
        tasks.begin("publisher", self.now.run)
        if isinstance(self.now, Publisher):
            self._board.listeners.append(self.now)
            return
        log.warning("mqtt.is_off", remedy="set mqtt.url")
        if settings.home_assistant.discovery:
            log.warning("home_assistant.has_no_broker", remedy="set mqtt.url to the broker that it uses")

    async def change(
        self, before: Prepared, to: Prepared, tasks: ReplaceableTasks, *, version: str, patient: bool
    ) -> None:
        """Publishes by other settings. Where the broker and the topics are the same the session goes on."""
        if before.same_publisher(to):
            info = BridgeInfo.of(to.settings, version)
            if isinstance(self.now, Publisher) and info != BridgeInfo.of(before.settings, version):
                self.now.change_info(info)
            return
        if before.settings.mqtt == to.settings.mqtt:  # the next one speaks in its place
            self.now.stop_without_offline()
        await tasks.end("publisher")
        if isinstance(self.now, Publisher):
            self._board.listeners.remove(self.now)
        self.now = self._make(to, patient)
        self.start(tasks, to.settings)

    @property
    def configured(self) -> bool:
        """See `DeliveryStatus.configured`."""
        return self.now.configured

    @property
    def connected(self) -> bool:
        """See `DeliveryStatus.connected`."""
        return self.now.connected

    @property
    def was_connected(self) -> bool:
        """See `DeliveryStatus.was_connected`."""
        return self.now.was_connected

    @property
    def last_error(self) -> str | None:
        """See `DeliveryStatus.last_error`."""
        return self.now.last_error

    @property
    def messages_published(self) -> int:
        """See `DeliveryStatus.messages_published`."""
        return self.now.messages_published

    @property
    def messages_refused(self) -> Mapping[str, int]:
        """See `DeliveryStatus.messages_refused`."""
        return self.now.messages_refused

    @property
    def undelivered(self) -> Sequence[Undelivered]:
        """See `DeliveryStatus.undelivered`."""
        return self.now.undelivered

    @property
    def all_acknowledged(self) -> bool:
        """See `DeliveryStatus.all_acknowledged`."""
        return self.now.all_acknowledged

    @property
    def reconnects(self) -> int:
        """See `DeliveryStatus.reconnects`."""
        return self.now.reconnects
