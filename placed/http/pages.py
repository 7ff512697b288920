"""Pages for people: the board and the panel, and what lets a browser keep them.

A page is a shell that holds no data, the same for everybody; what it shows it asks the API for. So where a
token is wanted, the page itself needs none: it asks the reader for it and sends it along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from placed.http.assets import Assets


class Pages:
    """The board of all rooms, and the panel of one."""

    def __init__(self, assets: Assets) -> None:
        self._board = assets.page("board.html", "")
        self._panel = assets.page("panel.html", "../")
        self._worker = assets.worker(self._board, self._panel)

    async def board(self, request: web.Request) -> web.StreamResponse:
        """All rooms."""
        return await self._board.answer(request)

    async def panel(self, request: web.Request) -> web.StreamResponse:
        """One room, for a tablet at its door. Whether there is such a room is told by the page."""
        return await self._panel.answer(request)

    async def worker(self, request: web.Request) -> web.StreamResponse:
        """The service worker. Its address decides which pages it is for: all that lie beside and below it."""
        return await self._worker.answer(request)
