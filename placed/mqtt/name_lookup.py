"""Looks up the broker's host name before the client connects, with a timeout.

A look-up blocks its thread, for half a minute or more if the name servers are silent. The look-ups of asyncio
and aiomqtt run in threads that the end of the program, and a reload, have to wait for.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

TIMEOUT = 10.0  # seconds for the name servers


Address = tuple[str, int]  # of IP, and the port


async def look_up(host: str, port: int) -> list[Address]:
    """Returns the addresses of a name, in the order in which they are to be tried.

    Raises:
        OSError: the name is unknown, or no name server answers in time.
        UnicodeError: no such name can exist.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Address]] = loop.create_future()

    def settle(addresses: list[Address], error: Exception | None) -> None:
        if found.done():
            return
        if error is None:
            found.set_result(addresses)
        else:
            found.set_exception(error)

    def ask() -> None:
        addresses: list[Address] = []
        problem: Exception | None = None
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                addresses.append((_with_interface(*address), port))
        except (OSError, UnicodeError) as error:
            problem = error
        with suppress(RuntimeError):  # the event loop has ended meanwhile
            loop.call_soon_threadsafe(settle, addresses, problem)

    threading.Thread(target=ask, name="name look-up", daemon=True).start()
    try:
        async with asyncio.timeout(TIMEOUT):
            return await found
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers") from None


def _with_interface(host: str, _port: int, _flow: int = 0, interface: int = 0) -> str:
    """Returns the address; a link-local one of IPv6 with its interface, without which it leads nowhere."""
    return f"{host}%{interface}" if interface else host
