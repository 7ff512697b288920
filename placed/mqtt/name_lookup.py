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


async def look_up(host: str, port: int) -> None:
    """Waits until the name is resolved.

    Raises:
        OSError: the name is unknown, or no name server answers in time.
        UnicodeError: no such name can exist.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if found.done():
            return
        if error is None:
            found.set_result(None)
        else:
            found.set_exception(error)

    def ask() -> None:
        problem: Exception | None = None
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            problem = error
        with suppress(RuntimeError):  # the event loop has ended meanwhile
            loop.call_soon_threadsafe(settle, problem)

    threading.Thread(target=ask, name="name look-up", daemon=True).start()
    try:
        async with asyncio.timeout(TIMEOUT):
            await found
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers") from None
