"""A host over TLS that answers what a test writes, down to the last byte and as slowly as it likes."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import trustme

Act = Callable[["Host", asyncio.StreamWriter, str], Awaitable[None]]


@dataclass
class Host:
    """It is at `url`; `heard` has every request, head and body."""

    port: int = 0
    name: str = "localhost"
    heard: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # the client has ended a connection

    @property
    def url(self) -> str:
        return f"https://{self.name}:{self.port}"


@asynccontextmanager
async def host(ca: trustme.CA, act: Act) -> AsyncIterator[Host]:
    """Has `act` answer every request."""
    made = Host()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lengths = [
                    x.partition(":")[2] for x in head.splitlines() if x.lower().startswith("content-length")
                ]
                body = await reader.readexactly(int(lengths[0]) if lengths else 0)
                made.heard.append(head + body.decode())
                await act(made, writer, head.split()[1])
                await writer.drain()
        made.ended.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def answer(content: bytes, *headers: str, status: int = 200) -> bytes:
    """A whole answer of JSON."""
    lines = [
        f"HTTP/1.1 {status} X",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def described(at: Host, **more: str) -> bytes:
    """The OpenID description of a login host, with its endpoints there unless others are given."""
    tenant = f"{at.url}/contoso.example"
    return answer(
        json.dumps(
            {
                "issuer": f"{tenant}/v2.0",
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                **more,
            }
        ).encode()
    )


def trusted(ca: trustme.CA, folder: Path) -> Path:
    file = folder / "ca-of-the-host.pem"
    ca.cert_pem.write_to_path(file)
    return file


async def threads_end(seconds: float = 5.0) -> bool:
    """Whether all threads that do blocking work beside the event loop end in time."""
    working = [thread for thread in threading.enumerate() if thread.name == "background"]
    for thread in working:
        await asyncio.to_thread(thread.join, seconds)
    return not any(thread.is_alive() for thread in working)
