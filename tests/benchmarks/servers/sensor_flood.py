"""A client that publishes what presence sensors report, so many messages a second.

python -m tests.benchmarks.servers.sensor_flood --port 1883 --rooms 5500
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from tests.benchmarks.child_process import obey, report
from tests.benchmarks.harness.mqtt_packets import CONNECT
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.servers.mqtt_subscriber import MARK
from tests.support.free_ports import HOST

TOPIC = "sensors/{}"
_SLICE = 0.02  # seconds between two writes
_PAYLOADS = (b'{"occupancy":true,"battery":97}', b'{"occupancy":false,"battery":97}')


def publish(topic: str, payload: bytes) -> bytes:
    """A PUBLISH (MQTT 5, 3.3) with QoS 0 and no properties, of less than 128 bytes."""
    name = topic.encode()
    body = len(name).to_bytes(2) + name + b"\0" + payload
    return bytes([0x30, len(body)]) + body


async def flood(writer: asyncio.StreamWriter, rooms: int, rate: float, seconds: float) -> int:
    """Publishes so many messages a second, room after room; returns how many."""
    loop = asyncio.get_running_loop()
    begun, sent = loop.time(), 0
    while (passed := loop.time() - begun) < seconds:
        packets = []
        while sent < passed * rate:
            packets.append(publish(TOPIC.format(f"room{sent % rooms:05}"), _PAYLOADS[sent // rooms % 2]))
            sent += 1
        writer.write(b"".join(packets))
        await writer.drain()
        await asyncio.sleep(_SLICE)
    return sent


async def serve(port: int, rooms: int) -> None:
    """Connects; at each command it floods, and then publishes a mark on the command's topic."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(CONNECT)
    await reader.read(1)
    report(None)

    async def answer(command: dict[str, Any]) -> Any:
        sent = await flood(writer, rooms, command["rate"], command["seconds"])
        writer.write(publish(command["mark"], MARK))
        return sent

    await obey(answer)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="A client that publishes what presence sensors report.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rooms", type=int, required=True)
    given = parser.parse_args()
    settle_on(1)
    asyncio.run(serve(given.port, given.rooms))


if __name__ == "__main__":
    main()
