"""Where clients come in: so many at once, and not all of them from one address.

Who comes when all places are taken is let in to be told so (503), as long as there is standing room, and
past that is turned away without a word. Places are taken before TLS is spoken, or a client could take up as
many files as it likes by never ending a handshake.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Sequence

    from placed.http.limits import Limits

_BACKLOG = 128
_STANDING = 64  # clients that may wait to be told that it is full
_OTHER_FILES = 200  # that the rest of the program may have open
_ROOM_AGAIN = 0.9  # of the places: fewer are taken when the log says that it is over
_PAUSE = 1.0  # seconds, when the system has nothing left to take a connection with
_SHUTDOWN = 5.0  # seconds for the end of TLS

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Place:
    """One connection's. It is given back once, however often that is said."""

    def __init__(self, door: Door, whose: str, *, crowded: bool) -> None:
        self.crowded = crowded  # there was none left: it only stands here
        self._door: Door | None = door
        self._whose = whose

    def leave(self) -> None:
        """The connection is gone."""
        if self._door is not None:
            self._door.left(self._whose)
            self._door = None


class Door:
    """Takes connections.

    Args:
        limits: how many, and how long TLS may take.
        tls: what they begin with, if anything.
        protocol: makes what answers one; it gives the place back when the connection is lost.
    """

    def __init__(
        self, limits: Limits, tls: ssl.SSLContext | None, protocol: Callable[[Place], asyncio.Protocol]
    ) -> None:
        self._limits = limits
        self._tls = tls
        self._protocol = protocol
        self._listeners: list[socket.socket] = []
        self._taken: Counter[str] = Counter()
        self._most = 0
        self._told: set[str] = set()  # whose places are all taken, as the log says; "" is everybody's
        self._greeting: set[asyncio.Task[None]] = set()

    def open(self, listeners: Sequence[socket.socket]) -> tuple[str, int]:
        """Listens from then on with sockets that are bound, which are its own then; where that is.

        Raises:
            OSError: somebody else was faster.
        """
        loop = asyncio.get_running_loop()
        self._listeners = list(listeners)
        self._most = _files_for(self._limits.clients)
        try:
            for listener in self._listeners:
                listener.listen(_BACKLOG)
                listener.settimeout(0)
                loop.add_reader(listener, self._take, listener)
        except OSError:
            self.close()
            raise
        host, port = self._listeners[0].getsockname()[:2]
        return host, port

    def close(self) -> None:
        """Takes no more; those that are in stay."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener)
            listener.close()
        self._listeners = []
        for task in self._greeting:
            task.cancel()

    def left(self, whose: str) -> None:
        """One less from there."""
        self._taken[whose] -= 1
        if not self._taken[whose]:
            del self._taken[whose]
        for scope, clients, most in (
            ("", self._taken.total(), self._most),
            (whose, self._taken[whose], self._limits.clients_of_one),
        ):
            if scope in self._told and clients < most * _ROOM_AGAIN:
                self._told.discard(scope)
                _log.info("http.has_room_again", clients=clients, remote=scope or None)

    def _take(self, listener: socket.socket) -> None:
        for _ in range(_BACKLOG):
            try:
                connection, peer = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._rest(listener, error)
                return
            connection.settimeout(0)
            self._let_in(connection, _whose(peer))

    def _rest(self, listener: socket.socket, error: OSError) -> None:
        _log.warning("http.could_not_accept", error=error.strerror, again_in=_PAUSE)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(_PAUSE, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener, self._take, listener)

    def _let_in(self, connection: socket.socket, whose: str) -> None:
        taken, of_it = self._taken.total(), self._taken[whose]
        crowded = taken >= self._most or of_it >= self._limits.clients_of_one
        if crowded:
            self._tell("" if taken >= self._most else whose, taken, of_it)
        if crowded and taken >= self._most + _STANDING:
            connection.close()
            return
        self._taken[whose] += 1
        task = asyncio.create_task(self._greet(connection, Place(self, whose, crowded=crowded)))
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    def _tell(self, scope: str, taken: int, of_it: int) -> None:
        if scope not in self._told:
            self._told.add(scope)
            _log.warning("http.is_full", clients=of_it if scope else taken, remote=scope or None)

    async def _greet(self, connection: socket.socket, place: Place) -> None:
        met = False
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._protocol(place),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=self._limits.handshake if self._tls else None,
                ssl_shutdown_timeout=_SHUTDOWN if self._tls else None,
            )
            met = True
        except OSError as error:  # as those of TLS are
            _log.debug("http.handshake_failed", error=str(error))
        finally:
            if not met:
                place.leave()
                connection.close()


def _whose(peer: tuple[str, int]) -> str:
    """Who a connection is from: an address, or of IPv6 the network, of which a client has a whole one."""
    host = peer[0].partition("%")[0]
    if ":" not in host:
        return host
    return str(IPv6Address(int(IPv6Address(host)) >> 64 << 64))


def _files_for(clients: int) -> int:
    """How many clients there are files for, once the limit is raised as far as it goes.

    The soft limit is low for the sake of programs that use select(2), as systemd.exec(5) says of
    LimitNOFILE=; this one does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return clients
    needed = clients + _STANDING + _OTHER_FILES
    had = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if had > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (had, hard))
    got = min(clients, max(soft, had) - _STANDING - _OTHER_FILES)
    if got < clients:
        _log.warning("http.has_few_files", limit=hard, clients=got, wanted=clients)
    return max(1, got)
