"""Accepts clients, as long as the limits for all of them and for each are not reached.

A client beyond a limit is answered with 503; far beyond it, its connection is closed at once. A connection
counts before its TLS handshake, or a client could hold any number of them by never completing one. For that,
`loop.create_server` cannot be used: it shows the address of a client only after the handshake.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

import structlog

from placed.http.connection_limits import ClientConnection

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

    from aiohttp import web

    from placed.http.limits import Limits

_BACKLOG = 128  # clients that the kernel holds until they are accepted
_TURNED_AWAY = 64  # connections beyond the limit that are answered with 503; further ones are closed at once
_OTHER_FILES = 200  # files that the rest of the program may have open
_ROOM_AGAIN = 0.9  # of a limit: with fewer connections, the log reports that there is room again
_PAUSE = 1.0  # seconds, when the system has no resources to accept a connection
_TLS_SHUTDOWN = 5.0  # seconds

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Acceptor:
    """Accepts clients on bound sockets.

    Args:
        limits: how many clients, and how long a TLS handshake may take.
        tls: the TLS context of every connection, or None for plain HTTP.
        server: aiohttp's server.
    """

    def __init__(self, limits: Limits, tls: ssl.SSLContext | None, server: web.Server) -> None:
        self._limits = limits
        self._tls = tls
        self._server = server
        self._slots = Slots(limits)
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: set[asyncio.Task[None]] = set()

    def open(self, sockets: Sequence[socket.socket]) -> tuple[str, int]:
        """Listens on the sockets, and closes them at the end; returns host and port of the first.

        Raises:
            OSError: another program listens there since.
        """
        self._sockets = list(sockets)
        try:
            for one in self._sockets:
                one.listen(_BACKLOG)
                one.settimeout(0)
        except OSError:
            for one in self._sockets:
                one.close()
            raise
        self._accepting = [asyncio.create_task(self._accept(one)) for one in self._sockets]
        host, port = self._sockets[0].getsockname()[:2]
        return host, port

    def change(self, limits: Limits, tls: ssl.SSLContext | None) -> None:
        """Accepts by other limits, and with another certificate, from the next client on."""
        self._limits = limits
        self._tls = tls
        self._slots.change(limits)

    async def close(self) -> None:
        """Accepts no further client; those that are connected stay."""
        tasks = [*self._accepting, *self._handshakes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in self._sockets:
            one.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, peer = await loop.sock_accept(listener)
            except ConnectionAbortedError:
                continue  # the client has gone
            except OSError as error:
                _log.warning("http.could_not_accept", error=error.strerror, again_in=_PAUSE)
                await asyncio.sleep(_PAUSE)
                continue
            slot = self._slots.take(_client_key(peer[0]))
            if slot is None:
                client.close()
            else:
                task = asyncio.create_task(self._connect(client, slot))
                self._handshakes.add(task)
                task.add_done_callback(self._handshakes.discard)
            await asyncio.sleep(0)  # many clients at once do not hold up everything else

    async def _connect(self, client: socket.socket, slot: Slot) -> None:
        loop = asyncio.get_running_loop()
        connected = False
        try:
            await loop.connect_accepted_socket(
                lambda: ClientConnection(
                    self._server, loop, self._limits, crowded=slot.crowded, lost=slot.release
                ),
                client,
                ssl=self._tls,
                ssl_handshake_timeout=self._limits.handshake if self._tls else None,
                ssl_shutdown_timeout=_TLS_SHUTDOWN if self._tls else None,
            )
            connected = True
        except OSError as error:  # TLS errors are OSErrors, too
            _log.debug("http.handshake_failed", error=str(error))
        finally:
            if not connected:
                slot.release()
                client.close()


# --- limits ---


class Slots:
    """Counts connections: all of them, and those of each client."""

    def __init__(self, limits: Limits) -> None:
        self._taken: Counter[str] = Counter()
        self._reported: set[str] = set()  # clients whose limit was reported; "" stands for all clients
        self.change(limits)

    def change(self, limits: Limits) -> None:
        """Other limits count from the next connection on; those that exist stay."""
        self._most = _clients_with_files(limits.clients)
        self._most_of_one = limits.clients_of_one

    def take(self, client: str) -> Slot | None:
        """A slot for a connection of this client; None if it is to be closed at once."""
        total, own = self._taken.total(), self._taken[client]
        crowded = total >= self._most or own >= self._most_of_one
        if crowded:
            scope = "" if total >= self._most else client
            if scope not in self._reported:
                self._reported.add(scope)
                _log.warning("http.is_full", clients=own if scope else total, remote=scope or None)
            if total >= self._most + _TURNED_AWAY:
                return None
        self._taken[client] += 1
        return Slot(self, client, crowded=crowded)

    def release(self, client: str) -> None:
        """One connection of this client is gone."""
        self._taken[client] -= 1
        if not self._taken[client]:
            del self._taken[client]
        total, own = self._taken.total(), self._taken[client]
        for scope, clients, most in (("", total, self._most), (client, own, self._most_of_one)):
            if scope in self._reported and clients < most * _ROOM_AGAIN:
                self._reported.discard(scope)
                _log.info("http.has_room_again", clients=clients, remote=scope or None)


class Slot:
    """The place of one connection in the limits. `crowded`: it is beyond a limit, and answered with 503."""

    def __init__(self, slots: Slots, client: str, *, crowded: bool) -> None:
        self.crowded = crowded
        self._slots: Slots | None = slots
        self._client = client

    def release(self) -> None:
        """The connection is gone. Further calls do nothing."""
        if self._slots is not None:
            self._slots.release(self._client)
            self._slots = None


def _client_key(host: str) -> str:
    """Key of the limit per client: the IPv4 address, or the IPv6 /64 prefix."""
    host = host.partition("%")[0]
    if ":" not in host:
        return host
    return str(IPv6Address(int(IPv6Address(host)) >> 64 << 64))


def _clients_with_files(clients: int) -> int:
    """The number of clients that there are file descriptors for, after raising the soft limit.

    The soft limit is low for programs that use select(2), as systemd.exec(5) explains at LimitNOFILE=; this
    program does not use it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return clients
    needed = clients + _TURNED_AWAY + _OTHER_FILES
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if raised > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    possible = max(1, min(clients, max(soft, raised) - _TURNED_AWAY - _OTHER_FILES))
    if possible < clients:
        _log.warning("http.has_few_files", limit=hard, clients=possible, wanted=clients)
    return possible
