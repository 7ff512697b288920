"""No-shows as the daemon judges them, and the panels and sensors through which people check in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placed.actions.automatic_check_in import SensorCheckIns
from placed.actions.no_show_facts import NoShowFacts
from placed.actions.no_show_numbers import NoShowNumbers
from placed.actions.no_show_service import NoShowService, no_show_rules
from placed.actions.no_show_store import JournalNoShows
from placed.actions.own_commands import OwnCommands
from placed.domain.panel_signs import AGAIN, SIGN_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from datetime import timedelta

    from placed.actions.service import ActionService
    from placed.board.board import Board
    from placed.domain.corrected_clock import CorrectedClock
    from placed.runtime.replaceable_tasks import ReplaceableTasks
    from placed.settings.schema import Settings
    from placed.store import Journal


class CurrentNoShows:
    """Judges no-shows while the settings want that. See `PanelSigns` and `NoShowReport`.

    Args:
        board: the rooms.
        clock: what time it is.
        journal: keeps the numbers.
        actions: carries out releases and check-ins.
        sensor_links: see `NoShowFacts`.
        read_soon: asks for a reading of a room, by its connection and id.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        board: Board,
        clock: CorrectedClock,
        journal: Journal,
        *,
        actions: ActionService,
        sensor_links: Callable[[], Hashable | None],
        read_soon: Callable[[str, str], None],
    ) -> None:
        self._board = board
        own = OwnCommands(actions, clock)
        self._facts = NoShowFacts(board, clock, sensor_links, believable=lambda: clock.believable)
        numbers = NoShowNumbers(clock, JournalNoShows(journal))
        self._service = NoShowService(board, clock, self._facts, numbers, releaser=own, read_soon=read_soon)
        self._sensors = SensorCheckIns(board, clock, own)
        self._connections: frozenset[str] = frozenset()
        actions.on_use = self._facts.was_used

    def begin(self, settings: Settings) -> None:
        """Follows the board from now on."""
        self._board.listeners.append(self._service)
        self.change(settings)

    def start(self, tasks: ReplaceableTasks) -> None:
        """Judges from now on."""
        tasks.begin("no-shows", self._service.run)
        tasks.begin("check-ins by sensors", self._sensors.run)

    def change(self, settings: Settings) -> None:
        """Takes up other settings. Windows that are open now count as not watched."""
        rules = no_show_rules(settings.connections)
        self._connections = frozenset(rules)
        self._service.change(rules)

    def close(self) -> None:
        """Saves the numbers."""
        self._service.close()

    # --- panels ---

    def again(self, room_id: str) -> timedelta:
        """See `PanelSigns`."""
        statement = self._board.statement(room_id)
        matters = statement is not None and statement.room.connection in self._connections
        return SIGN_EVERY if matters else AGAIN

    def panel_is_there(self, room_id: str, panel: str) -> None:
        """See `PanelSigns`."""
        self._facts.panel_is_there(room_id, panel)

    def panel_has_stream(self, room_id: str, stream: Hashable, *, is_open: bool) -> None:
        """See `PanelSigns`."""
        self._facts.panel_has_stream(room_id, stream, is_open=is_open)

    def panel_is_connected(self, room_id: str, *, connected: bool) -> None:
        """See `PanelSigns`."""
        self._facts.panel_is_connected(room_id, connected=connected)

    def broker_is_lost(self) -> None:
        """See `PanelSigns`."""
        self._facts.broker_is_lost()

    # --- numbers ---

    @property
    def configured(self) -> bool:
        """See `NoShowReport`."""
        return self._service.configured

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """See `NoShowReport`."""
        return self._service.counts

    def documents(self) -> list[dict[str, Any]]:
        """See `NoShowReport`."""
        return self._service.documents()
