"""Commands over MQTT as the daemon takes them: where there is a broker, and some connection has actions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from placed.mqtt.unused_commands import UnusedCommands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.board.board import Board
    from placed.domain.command_sink import CommandSink
    from placed.domain.panel_signs import PanelSigns
    from placed.mqtt.client_options import Login
    from placed.mqtt.command_subscription import CommandSubscription
    from placed.runtime.prepared_configuration import Prepared
    from placed.runtime.replaceable_tasks import ReplaceableTasks

_TASK = "commands"


class CurrentCommands:
    """Takes commands while the settings allow some; a reload begins again if the broker has changed.

    Args:
        sink: carries the commands out.
        board: knows the rooms.
        signs: notes which panels are there.
    """

    def __init__(self, sink: CommandSink, board: Board, signs: PanelSigns) -> None:
        self._sink = sink
        self._board = board
        self._signs = signs
        self._used: tuple[Login, bytes, str] | None = None
        self._counts = UnusedCommands(time.monotonic)
        self.subscription: CommandSubscription | None = None

    @property
    def unused(self) -> Mapping[str, int]:
        """Messages that were not used since the start, by reason; empty while no commands are taken."""
        return self._counts.by_reason if self.subscription is not None else {}

    def start(self, prepared: Prepared, tasks: ReplaceableTasks) -> None:
        """Takes commands from now on, if there are any to take."""
        self._used = self._wanted(prepared)
        if self._used is not None:
            from placed.mqtt.command_subscription import CommandSubscription  # noqa: PLC0415 - where there are any

            self.subscription = CommandSubscription(
                self._used[0], self._sink, self._board, signs=self._signs, counts=self._counts
            )
            tasks.begin(_TASK, self.subscription.run)

    async def change(self, to: Prepared, tasks: ReplaceableTasks) -> None:
        """Takes up other settings, after the sink did. The connection stays if broker and topics do."""
        wanted = self._wanted(to)
        if (wanted and wanted[1:]) == (self._used and self._used[1:]):
            return
        if self.subscription is not None:
            self.subscription = None
            await tasks.end(_TASK)
        self.start(to, tasks)

    def _wanted(self, prepared: Prepared) -> tuple[Login, bytes, str] | None:
        """The login, and what of it has to be the same for a connection to stay; None without commands."""
        login = prepared.login
        if login is None or not self._sink.configured:
            return None
        return login, login.mark, repr((login.settings.base_topic, login.options.client_id))
