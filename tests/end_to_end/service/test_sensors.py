"""A daemon with sensors: their messages reach the state documents, over MQTT and HTTP."""

from __future__ import annotations

import gzip
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import aiomqtt

from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST, free_port
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival

TOPIC = "placed/rooms/boardroom/state"
RADAR = """
[[sensors]]
name = "radar"
topic = "z/radar"
room = "boardroom"
kind = "radar"
presence = "occupancy"
"""


def add(file: Path, *tables: str) -> None:
    """Adds tables to the configuration."""
    file.write_text(file.read_text() + "".join(tables))


def present(payload: bytes) -> str | None:
    shown: dict[str, Any] | None = json.loads(payload)["presence"]
    return shown["state"] if shown else None


async def test_a_sensors_message_reaches_the_state_document_over_mqtt_and_http(
    deployment: Deployment,
) -> None:
    deployment.configure()
    add(deployment.file, RADAR)
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        await running.daemon.sensors.subscriptions[None].connected.wait()
        async with aiomqtt.Client(HOST, deployment.broker.port, timeout=DEADLINE) as sensor:
            await sensor.publish("z/radar", '{"occupancy":true}')
        found = await panel.until(
            lambda message: message.topic == TOPIC and present(message.payload) == "present"
        )
        assert found.document["use"] == "unbooked"
        assert found.document["status"] == "free"
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{running.url}/api/v1/rooms/boardroom") as answer,
        ):
            assert (await answer.json())["presence"]["state"] == "present"
            async with session.get(f"{running.url}/metrics") as scrape:
                metrics = (await scrape.text()).splitlines()
        for line in (
            'placed_rooms_by_use{connection="contoso",use="unbooked"} 1.0',
            'placed_sensors{state="reporting"} 1.0',
            'placed_sensor_messages_total{result="taken"} 1.0',
            'placed_sensor_broker_connected{broker="mqtt"} 1.0',
        ):
            assert line in metrics
        code, table = await run(
            deployment.folder, "rooms", "--once", "--url", running.url, "--use", "unbooked"
        )
        assert code == 0
        (row,) = [line for line in table.out if line.startswith("│")]
        assert "○ free" in row
        assert "◉ unbooked" in row


async def test_a_webhook_takes_readings_with_its_own_token_alone(deployment: Deployment) -> None:
    for name in ("reading", "sensor"):
        write_secret(deployment.folder / name, f"{name}-token")
    deployment.configure(http={"listen": "127.0.0.1:0", "token_file": str(deployment.folder / "reading")})
    add(
        deployment.file,
        f"""
[[sensors]]
name = "people"
room = "boardroom"
count = "data.count"
token_file = "{deployment.folder / "sensor"}"
""",
    )
    async with deployment.daemon() as running, aiohttp.ClientSession() as session:
        url, right = f"{running.url}/api/v1/sensors/people", "sensor-token"
        details: list[str] = []

        async def post(
            body: bytes,
            token: str | None = right,
            to: str = url,
        ) -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.post(to, data=body, headers=headers) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                if answer.status != 204:
                    assert answer.content_type == "application/problem+json"
                    details.append((await answer.json())["detail"])
                return answer.status

        good = b'{"data":{"count":3}}'
        assert await post(good, None) == 401
        assert await post(good, "reading-token") == 401
        assert await post(good, to=f"{running.url}/api/v1/sensors/other") == 404
        assert details[-1].endswith("; a table [[sensors]] needs name and token_file.")
        assert await post(b"") == 400
        assert await post(b"\xff\xfe") == 400
        assert await post(b"{}") == 422
        assert details[-1].endswith("; placed sensors --try FILE shows what a message gives.")
        assert await post(b"x" * 70_000) == 413
        assert details[-1] == "The body is larger than the 65,536 bytes that this address takes."
        compressed = {"Authorization": f"Bearer {right}", "Content-Encoding": "gzip"}
        async with session.post(url, data=gzip.compress(good), headers=compressed) as answer:
            assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "identity")
        assert running.daemon.sensors.counts.readings["people"] == 0
        assert await post(good) == 204
        statement = running.daemon.board.statement("boardroom")
        assert statement is not None
        assert present(statement.document) == "present"
        async with session.get(url) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_webhook_that_is_sent_too_much_answers_when_to_try_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placed.sensors.routing.LEAST_PER_MINUTE", 2)
    write_secret(deployment.folder / "sensor", "sensor-token")
    deployment.configure(http={"listen": "127.0.0.1:0"})
    tables = [
        f'[[sensors]]\nname = "{name}"\nroom = "boardroom"\npresence = "@"\n'
        f'token_file = "{deployment.folder / "sensor"}"\n'
        for name in ("busy", "other")
    ]
    add(deployment.file, *tables)
    async with deployment.daemon() as running, aiohttp.ClientSession() as session:

        async def post(name: str, token: str = "sensor-token") -> aiohttp.ClientResponse:  # noqa: S107
            headers = {"Authorization": f"Bearer {token}"}
            url = f"{running.url}/api/v1/sensors/{name}"
            async with session.post(url, data=b"ON", headers=headers) as answer:
                await answer.read()
                return answer

        for _ in range(5):  # the limit is for those that have the token
            assert (await post("busy", token="another")).status == 401
        assert [(await post("busy")).status for _ in range(2)] == [204, 204]
        refused = await post("busy")
        assert (refused.status, refused.content_type) == (429, "application/problem+json")
        assert 1 <= int(refused.headers["Retry-After"]) <= 30
        problem = await refused.json()
        assert (problem["status"], problem["title"]) == (429, "Too Many Requests")
        assert problem["detail"] == (
            "This sensor sends more than 2 messages a minute; "
            "wait for the seconds in Retry-After, and send less often."
        )
        assert (await post("other")).status == 204


async def test_a_broker_of_sensors_that_is_away_keeps_no_daemon_from_being_ready(
    deployment: Deployment,
) -> None:
    deployment.configure()
    add(
        deployment.file,
        RADAR.replace("[[sensors]]", '[[sensors]]\nbroker = "other"'),
        f'[sensor_brokers.other]\nurl = "mqtt://{HOST}:{free_port()}"\n',
    )
    async with deployment.daemon() as running:
        assert running.daemon.is_ready
        assert not running.daemon.sensors.subscriptions["other"].connected.is_set()


def is_present(message: Arrival, *, epoch: int) -> bool:
    """Whether the run with this epoch published that somebody is in the room."""
    return (
        message.topic == TOPIC
        and message.document["epoch"] == epoch
        and present(message.payload) == "present"
    )


async def test_since_when_a_room_is_used_survives_a_restart(deployment: Deployment) -> None:
    deployment.configure()
    add(deployment.file, RADAR)
    since = []
    for _ in range(2):
        async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
            board = running.daemon.board
            await running.daemon.sensors.subscriptions[None].connected.wait()
            statement = board.statement("boardroom")
            assert statement is not None
            assert present(statement.document) == "unknown"
            async with aiomqtt.Client(HOST, deployment.broker.port, timeout=DEADLINE) as sensor:
                await sensor.publish("z/radar", '{"occupancy":true}')
            shown = await panel.until(partial(is_present, epoch=board.epoch))
            since.append(shown.document["presence"]["since"])
        deployment.clock.leap(5)
    assert since[1] == since[0]
