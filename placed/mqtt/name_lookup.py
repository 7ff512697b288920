"""Looks up the broker's name before it is connected to, in a way that can be given up.

A look-up blocks the thread that makes it, for half a minute or more where name servers are silent. Those of
asyncio and aiomqtt are in threads that the end of the program, and a reload, wait for.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

PATIENCE = 10.0  # seconds for the name servers


async def look_up(host: str, port: int) -> None:
    """Returns once the name is known.

    Raises:
        OSError: it is not known, or no name server answers in time.
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
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, problem)

    threading.Thread(target=ask, name="name look-up", daemon=True).start()
    try:
        async with asyncio.timeout(PATIENCE):
            await found
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers") from None
