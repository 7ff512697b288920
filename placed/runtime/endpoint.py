"""The status endpoint as the daemon runs it: a reload changes its settings, or moves it elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from placed.domain.exit_errors import CannotStart
from placed.http.listen_options import bind_sockets, parse_address

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.board.board import Board
    from placed.http.listen_options import ListenOptions
    from placed.http.server import StatusServer
    from placed.runtime.prepared_configuration import Prepared
    from placed.settings.schema import Settings

log = structlog.get_logger("placed.runtime.daemon")


class Endpoint:
    """Serves while it is on; the settings may switch it off.

    Args:
        make: makes the server of a configuration, or None where that has none.
        board: is listened to.
        prepared: what it begins with.

    Attributes:
        server: the one that serves now.
    """

    def __init__(
        self, make: Callable[[Prepared], StatusServer | None], board: Board, prepared: Prepared
    ) -> None:
        self._make = make
        self._board = board
        self._settings = prepared.settings
        self.server = make(prepared)

    async def bind(self) -> Sequence[socket.socket]:
        """Takes the address; clients are refused until `start`.

        Raises:
            CannotStart: the address is in use, or cannot be bound.
        """
        return () if self.server is None else await bind_sockets(self._settings.http.listen)

    async def start(self, sockets: Sequence[socket.socket] = ()) -> None:
        """Answers from now on, on these sockets if there are any.

        Raises:
            CannotStart: the address is in use, or cannot be bound.
        """
        if self.server is None:
            log.warning("http.is_off", remedy='set http.listen, for example to "127.0.0.1:8620"')
            return
        await self.server.start(sockets)
        self._board.listeners.append(self.server)
        log.info("http.is_listening", url=self.server.url)

    async def stop(self) -> None:
        """Ends every answer and frees the address. Does nothing if it was not started."""
        if self.server is not None:
            if self.server in self._board.listeners:
                self._board.listeners.remove(self.server)
            await self.server.stop()

    async def change(self, before: Prepared, to: Prepared) -> None:
        """Serves by other settings, unless they are the same. Only for another address it starts again.

        Raises:
            CannotStart: it cannot listen there; the server is as it was before.
        """
        if before.same_endpoint(to):
            return
        if self.server is not None and to.listen is not None and before.same_address(to):
            self.server.change(to.settings.http, to.listen)
            self._settings = to.settings
            return
        changed = Endpoint(self._make, self._board, to)
        port = _port(to.settings)
        sockets: Sequence[socket.socket] = ()
        if port == 0 or port != _port(before.settings):  # else the address is ours, and free after the stop
            sockets = await changed.bind()
        await self.stop()
        try:
            await changed.start(sockets)
        except CannotStart:
            self.server = self._make(before)
            await self.start()
            raise
        self.server, self._settings = changed.server, to.settings


def _port(settings: Settings) -> int | None:
    return parse_address(settings.http.listen).port if settings.http.listen else None


def report_certificate(listen: ListenOptions, moment: datetime) -> None:
    """Warns of a certificate that clients reject: MQTT does not depend on it, so it ends no start."""
    problem = listen.certificate_problem(moment)
    if problem is not None:
        log.warning("http.certificate_is_not_valid", problem=problem.text, remedy=problem.remedy)
