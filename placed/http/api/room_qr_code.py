"""The QR code of a room's panel: /api/v1/rooms/<id>/qr. It opens the room's day on a phone.

    {"schema":1,"room":"boardroom","size":33,"path":"M4 4h7v1H4z…","check_in":{"meeting":"…Z","until":"…Z"}}

The path is that of an SVG of `size` by `size` units, with the margin that scanners need. A panel that may
check in gets, while a meeting waits for that, a code with a ticket: see `check_in_tickets`.
"""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import msgspec
from aiohttp import web

from placed.domain.action import Action
from placed.domain.model import CheckInState
from placed.domain.problem import Problem
from placed.domain.state_document import SCHEMA
from placed.domain.timestamps import timestamp
from placed.http.errors import HttpError
from placed.http.responses import JSON

if TYPE_CHECKING:
    from placed.board.board import Board
    from placed.domain.command_sink import CommandSink
    from placed.domain.model import CheckIn
    from placed.http.check_in_tickets import CheckInTickets
    from placed.http.panel_auth import PanelGuard

_MARGIN = 4  # modules
_NO_ADDRESS = Problem("", "There are no QR codes", "http.public_url names the address that phones open")
_NO_ROOM = Problem("", "There is no room with this id")


class QrCodesApi:
    """Answers with the QR codes of rooms.

    Args:
        board: knows the rooms, and which meeting can be checked in to.
        sink: knows what the settings allow.
        tickets: for a check-in.
        guard: finds the panel that sends a request.
        public_url: the daemon's address for phones, with / at the end; None if there is none.

    Attributes:
        guard: may be replaced.
        public_url: may be replaced.
    """

    def __init__(
        self,
        board: Board,
        sink: CommandSink,
        tickets: CheckInTickets,
        guard: PanelGuard,
        public_url: str | None,
    ) -> None:
        self._board = board
        self._sink = sink
        self._tickets = tickets
        self.guard = guard
        self.public_url = public_url

    async def code(self, request: web.Request) -> web.StreamResponse:
        """Answers with the code of a room."""
        room_id = request.match_info["room"]
        if self.public_url is None:
            raise HttpError(HTTPStatus.NOT_FOUND, _NO_ADDRESS)
        if self._board.statement(room_id) is None:
            raise HttpError(HTTPStatus.NOT_FOUND, _NO_ROOM)
        link = urljoin(self.public_url, f"rooms/{room_id}/day")
        check_in = self._open_check_in(request, room_id)
        if check_in is not None:
            ticket = self._tickets.ticket(room_id, check_in.meeting, check_in.closes)
            size, path = draw(f"{link}#check-in={ticket}")
        else:
            size, path = _drawn(link)
        document = {
            "schema": SCHEMA,
            "room": room_id,
            "size": size,
            "path": path,
            "check_in": _document(check_in) if check_in is not None else None,
        }
        headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
        return web.Response(body=msgspec.json.encode(document), headers=headers)

    def _open_check_in(self, request: web.Request, room_id: str) -> CheckIn | None:
        """The check-in that a ticket is for: an open one, asked for by a panel that may check in itself."""
        panel = self.guard.known_panel(request)
        offer = self._sink.offer(room_id)
        if panel is None or not panel.may(room_id, Action.CHECK_IN):
            return None
        if offer is None or Action.CHECK_IN not in offer.actions:
            return None
        statement = self._board.statement(room_id)
        check_in = statement.occupancy.check_in if statement is not None else None
        return check_in if check_in is not None and check_in.state is CheckInState.OPEN else None


def draw(text: str) -> tuple[int, str]:
    """The size of a QR code in units, with its margin, and the path of its dark modules."""
    import segno  # noqa: PLC0415 - a MiB of memory, which no daemon takes whose codes nobody asks for

    code = segno.make_qr(text, error="m")
    parts = []
    for y, row in enumerate(code.matrix, _MARGIN):
        x = 0
        while x < len(row):
            length = 0
            while x + length < len(row) and row[x + length]:
                length += 1
            if length:
                parts.append(f"M{x + _MARGIN} {y}h{length}v1h-{length}z")
            x += length or 1
    return len(code.matrix) + 2 * _MARGIN, "".join(parts)


_drawn = lru_cache(maxsize=1000)(draw)  # of rooms without a ticket: the same for all readers


def _document(check_in: CheckIn) -> dict[str, str]:
    return {"meeting": timestamp(check_in.meeting), "until": timestamp(check_in.closes)}
