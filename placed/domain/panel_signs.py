"""Signs of life of panels, as MQTT and HTTP pass them on: is there a way to check in to a room's meetings?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable

AGAIN = timedelta(minutes=5)  # until a panel asks again what it may do, where no sign of life is expected
SIGN_EVERY = timedelta(seconds=20)  # between two signs of life


class PanelSigns(Protocol):
    """Notes which panels are there."""

    def again(self, room_id: str) -> timedelta:
        """How soon a panel of a room has to show a sign of life again: `SIGN_EVERY` where it matters."""
        ...

    def panel_is_there(self, room_id: str, panel: str) -> None:
        """A panel that may check in to the meetings of a room has shown a sign of life."""
        ...

    def panel_has_stream(self, room_id: str, stream: Hashable, *, is_open: bool) -> None:
        """A panel that may check in to the meetings of a room has opened an event stream, or it has ended."""
        ...

    def panel_is_connected(self, room_id: str, *, connected: bool) -> None:
        """The broker reports that a room's panel is connected, or that it is not."""
        ...

    def broker_is_lost(self) -> None:
        """The connection to the broker has ended: what it reported may not be true any more."""
        ...


class NoSigns:
    """Nobody needs to know which panels are there."""

    def again(self, room_id: str) -> timedelta:
        """No sign of life is expected."""
        del room_id
        return AGAIN

    def panel_is_there(self, room_id: str, panel: str) -> None:
        """Does nothing."""

    def panel_has_stream(self, room_id: str, stream: Hashable, *, is_open: bool) -> None:
        """Does nothing."""

    def panel_is_connected(self, room_id: str, *, connected: bool) -> None:
        """Does nothing."""

    def broker_is_lost(self) -> None:
        """Does nothing."""
