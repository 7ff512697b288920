"""A client that subscribes, and records when each message came.

    python -m tests.benchmarks.servers.mqtt_subscriber --port 1883 --topic t

It reads of packets no more than their heads, so that it is not what is measured. Moments are those of the
clock on the wall, which two processes of a machine share.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.child_process import obey, report
from tests.benchmarks.harness.mqtt_packets import CONNECT, PUBLISH, SUBACK, end_of, subscribe
from tests.benchmarks.processor_time import settle_on
from tests.support.free_ports import HOST

MARK = b"that was all"  # the payload of a message after which no more is awaited


class Panel(asyncio.Protocol):
    """Notes when messages came."""

    def __init__(self) -> None:
        self.subscribed = asyncio.Event()
        self._rest = b""  # the beginning of a packet
        self._parts: list[bytes] = []
        self._moments: list[float] = []
        self._wanted = 0
        self._enough = asyncio.Event()
        self._marked = asyncio.Event()

    def begin(self) -> None:
        """What has come so far is of no interest any more."""
        self._parts, self._moments, self._wanted = [], [], 0
        self._enough.clear()
        self._marked.clear()

    async def until(self, messages: int) -> list[float]:
        """Waits until so many have come since it began; when each of them did, in seconds."""
        self._wanted = messages
        if len(self._moments) < messages:
            await self._enough.wait()
        return self._moments

    async def mark(self) -> list[float]:
        """Waits for the mark, which is the last message; returns when each message before it came."""
        await self._marked.wait()
        return self._moments[:-1]

    @property
    def packets(self) -> bytes:
        """All that came since it began, as it came."""
        return b"".join(self._parts)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        now = time.time()
        data, at = self._rest + data, 0
        while (end := end_of(data, at)) is not None:
            kind = data[at] >> 4
            if kind == PUBLISH:
                self._moments.append(now)
            elif kind == SUBACK:
                self.subscribed.set()
            at = end
        self._parts.append(data[:at])
        if data[:at].endswith(MARK):
            self._marked.set()
        self._rest = data[at:]
        if self._wanted and len(self._moments) >= self._wanted:
            self._enough.set()


async def serve(port: int, topic: str) -> None:
    """Subscribes, and reports what came until its standard input ends."""
    loop = asyncio.get_running_loop()
    transport, panel = await loop.create_connection(Panel, HOST, port)
    transport.write(CONNECT + subscribe(topic))
    await panel.subscribed.wait()
    report(None)

    async def answer(command: dict[str, Any]) -> Any:
        match command["command"]:
            case "begin":
                panel.begin()
            case "until":
                return await panel.until(command["messages"])
            case "mark":
                return await panel.mark()
            case "keep":
                await asyncio.to_thread(Path(command["file"]).write_bytes, panel.packets)
        return None

    await obey(answer)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="A client that subscribes, and notes when what came.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topic", required=True)
    given = parser.parse_args()
    settle_on(1)
    asyncio.run(serve(given.port, given.topic))


if __name__ == "__main__":
    main()
