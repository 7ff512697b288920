"""Event streams of panels: while one is open, somebody can check in to the meetings of its rooms."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.domain.action import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from placed.domain.command_sink import CommandSink
    from placed.domain.panel_signs import PanelSigns
    from placed.http.panel_auth import PanelGuard

_PROXIES = ("Forwarded", "X-Forwarded-For", "Via")  # header fields that these add


@dataclass(eq=False, slots=True)
class _Stream:
    """An open stream: its request, the rooms that it asks for, and those where it is a way to check in."""

    request: web.Request
    wanted: frozenset[str] | None
    rooms: frozenset[str] = frozenset()


class PanelStreams:
    """Notes the streams that are open with a token for check-in.

    A stream behind a proxy is no sign of a panel: the proxy may keep it open for one that has lost its power.

    Args:
        guard: finds the panel that sends a request.
        sink: knows in which rooms check-in is offered.
        signs: notes which panels are there.
    """

    def __init__(self, guard: PanelGuard, sink: CommandSink, signs: PanelSigns) -> None:
        self._guard = guard
        self._sink = sink
        self._signs = signs
        self._open: set[_Stream] = set()

    @contextmanager
    def noted(self, request: web.Request, wanted: frozenset[str] | None) -> Iterator[None]:
        """A stream is open meanwhile; `wanted`: the rooms that it asks for, None for all of them."""
        stream = _Stream(request, wanted)
        self._open.add(stream)
        self._note(stream, self._rooms_of(stream))
        try:
            yield
        finally:
            self._open.discard(stream)
            self._note(stream, frozenset())

    def look(self, guard: PanelGuard | None = None) -> None:
        """Looks at every stream again: rooms have changed, or, with `guard`, the tokens."""
        self._guard = guard or self._guard
        for stream in self._open:
            self._note(stream, self._rooms_of(stream))

    def _rooms_of(self, stream: _Stream) -> frozenset[str]:
        """The rooms in which a stream is a way to check in; without a list, those that its scopes name."""
        panel = self._guard.known_panel(stream.request)
        if panel is None or any(name in stream.request.headers for name in _PROXIES):
            return frozenset()
        named = stream.wanted if stream.wanted is not None else panel.rooms or ()
        return frozenset(room for room in named if panel.may(room, Action.CHECK_IN) and self._offered(room))

    def _offered(self, room_id: str) -> bool:
        offer = self._sink.offer(room_id)
        return offer is not None and Action.CHECK_IN in offer.actions

    def _note(self, stream: _Stream, rooms: frozenset[str]) -> None:
        for room_id in stream.rooms ^ rooms:
            self._signs.panel_has_stream(room_id, stream, is_open=room_id in rooms)
        stream.rooms = rooms
