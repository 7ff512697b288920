"""A daemon with sensors: their messages reach the state documents, over MQTT and HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import aiomqtt

from tests.support.free_ports import HOST, free_port
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.deployment import Deployment

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
        async with aiomqtt.Client(HOST, deployment.broker.port) as sensor:
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
                return answer.status

        good = b'{"data":{"count":3}}'
        assert await post(good, None) == 401
        assert await post(good, "reading-token") == 401
        assert await post(good, to=f"{running.url}/api/v1/sensors/other") == 404
        assert await post(b"") == 400
        assert await post(b"\xff\xfe") == 400
        assert await post(b"{}") == 422
        assert await post(b"x" * 70_000) == 413
        assert running.daemon.sensors.counts.readings["people"] == 0
        assert await post(good) == 204
        statement = running.daemon.board.statement("boardroom")
        assert statement is not None
        assert present(statement.document) == "present"
        async with session.get(url) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


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
