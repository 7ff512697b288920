"""A client that sends bytes and reads bytes, also those that no library would."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from types import TracebackType

    from tests.support.status_endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer that was read up to the end of its connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body as a document; it has to be a problem."""
        assert self.headers["Content-Type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        return found


class Raw:
    """`async with Raw(endpoint) as client: client.send(b"GET / "); assert await client.end() == b""`."""

    def __init__(self, endpoint: Endpoint, *, of: str = "127.0.0.1") -> None:
        self._at = endpoint.at
        self._of = of

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(*self._at, local_addr=(self._of, 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def end(self) -> bytes:
        """All that comes until the other side hangs up; it need not do so politely."""
        received = b""
        async with asyncio.timeout(DEADLINE):
            try:
                while chunk := await self.reader.read(65536):
                    received += chunk
            except ConnectionError:
                pass
        return received

    async def answer(self) -> RawAnswer:
        """The answer, after which the other side has hung up."""
        return parsed(await self.end())


def parsed(received: bytes) -> RawAnswer:
    head, _, body = received.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    return RawAnswer(int(line.split(" ")[1]), dict(field.split(": ", 1) for field in fields), body)


async def raw(endpoint: Endpoint, request: bytes) -> RawAnswer:
    """What is answered to these bytes, which have to be the end of it."""
    async with Raw(endpoint) as client:
        client.send(request)
        return await client.answer()
