"""`placed doctor` waits at a real broker for a message of every sensor, beside a daemon that runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed.doctor.sensor_checks import check_sensors
from placed.driver import Verdict
from placed.settings.loader import load
from tests.component.mqtt.scripted_broker import LET_IN
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST, free_port
from tests.support.mosquitto import Subscriber

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from placed.driver import Finding
    from tests.support.mosquitto import Mosquitto


def noon() -> datetime:
    return datetime(2026, 1, 8, 12, tzinfo=UTC)


GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
CONNECTION = """
[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "contoso.example"
client_id = "00000000-0000-0000-0000-000000000001"
client_secret_file = "/run/secret"
rooms = ["boardroom@contoso.example"]
"""
SENSORS = """
[[sensors]]
name = "radar"
topic = "z/radar"
room = "boardroom"
presence = "occupancy"

[[sensors]]
name = "door"
topic = "z/door"
room = "boardroom"
presence = "@"
"""


async def forever(_: float) -> None:
    await asyncio.Event().wait()


async def found(
    folder: Path,
    *tables: str,
    sleep: Callable[[float], Awaitable[object]] = forever,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[tuple[Verdict, str]]:
    """What is found, with the remedies of what is not good."""
    file = folder / "placed.toml"
    file.write_text("\n".join((CONNECTION, *tables)))
    configuration = load(file)
    async with asyncio.timeout(DEADLINE):
        findings: list[Finding] = await check_sensors(
            configuration, noon, timedelta(seconds=60), sleep=sleep, progress=progress
        )
    assert {finding.check for finding in findings} <= {"sensors"}
    assert all(finding.remedy for finding in findings if finding.verdict is not GOOD)
    return [(finding.verdict, finding.text) for finding in findings]


def mqtt(broker: Mosquitto, *more: str) -> str:
    return "\n".join(("[mqtt]", f'url = "{broker.url}"', *more))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_it_ends_as_soon_as_a_message_of_each_sensor_is_read_and_shows_the_progress(
    mosquitto: Mosquitto, tmp_path: Path, protocol: str
) -> None:
    steps: list[tuple[int, int]] = []
    async with Subscriber(mosquitto) as sensor:
        await sensor.publish("z/radar", '{"occupancy":true}', retain=True)

        def progress(done: int, total: int) -> None:
            steps.append((done, total))
            if done == 1:  # of the radar; so it is subscribed
                publishing.append(asyncio.ensure_future(sensor.publish("z/door", "OFF")))

        publishing: list[asyncio.Future[None]] = []
        table = mqtt(mosquitto, f'protocol = "{protocol}"')
        assert await found(tmp_path, table, SENSORS, progress=progress) == [
            (GOOD, "2 sensors sent a message that is read")
        ]
        await asyncio.gather(*publishing)
    assert steps == [(0, 2), (1, 2), (2, 2)]


async def test_a_sensor_that_is_silent_until_the_end_is_doubtful(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async def over(_: float) -> None:
        """The time is over."""

    assert await found(tmp_path, mqtt(mosquitto), SENSORS, sleep=over) == [
        (DOUBTFUL, "no message of 2 sensors in 60 s: radar, door")
    ]


async def test_topics_that_may_not_be_read_are_a_failure_and_are_not_waited_for(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Lets everybody in, and refuses two filters."""
        await reader.read(4096)
        writer.write(LET_IN[5])
        subscribe = await reader.read(4096)
        writer.write(b"\x90\x05" + subscribe[2:4] + b"\x00\x87\x87")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, HOST, port := free_port())
    async with server:
        ((verdict, text),) = await found(tmp_path, f'[mqtt]\nurl = "mqtt://{HOST}:{port}"\n', SENSORS)
    assert verdict is BAD
    assert "the broker does not let us subscribe to z/radar: Not authorized; and 1 more" in text


async def test_another_broker_that_is_away_is_a_failure_of_its_table(tmp_path: Path) -> None:
    other = f'[sensor_brokers.other]\nurl = "mqtt://{HOST}:{free_port()}"\n'
    tables = SENSORS.replace("[[sensors]]", '[[sensors]]\nbroker = "other"')
    ((verdict, text),) = await found(tmp_path, tables, other)
    assert verdict is BAD
    assert text.startswith("sensor_brokers.other.url: 127.0.0.1:")


async def test_sensors_wait_for_the_failure_of_a_broker_of_both(
    tmp_path: Path,
) -> None:
    table = f'[mqtt]\nurl = "mqtt://{HOST}:{free_port()}"\n'
    assert await found(tmp_path, table, SENSORS) == [(BAD, "not tried")]


async def test_without_sensors_nothing_is_found(tmp_path: Path) -> None:
    assert await found(tmp_path) == []
