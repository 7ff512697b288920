"""Pages for people. So far they only point to where the truth is: a page that stands still shows none."""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from placed.http.problems import Problem

if TYPE_CHECKING:
    from placed.board import Board


class Pages:
    """The list of rooms, and a page for each."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def board(self, _request: web.Request) -> web.Response:
        """All rooms, with links."""
        items = "".join(
            f'<li><a href="/rooms/{escape(room.id)}">{escape(room.name)}</a></li>'
            for room in self._board.rooms
        )
        return _page("Rooms", f'<ul>{items}</ul><p><a href="/api/v1/rooms">As JSON</a></p>')

    async def room(self, request: web.Request) -> web.Response:
        """One room, with a link to what it is now."""
        statement = self._board.statement(request.match_info["room"])
        if statement is None:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no room with this id; / lists them all.")
        room = statement.room
        return _page(
            room.name,
            f'<p><a href="/api/v1/rooms/{escape(room.id)}">What it is now, as JSON</a></p>'
            '<p><a href="/">All rooms</a></p>',
        )


def _page(title: str, body: str) -> web.Response:
    name = escape(title)
    return web.Response(
        text=f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title></head>'
        f"<body><h1>{name}</h1>{body}</body></html>",
        content_type="text/html",
        headers={"Cache-Control": "no-cache"},
    )
