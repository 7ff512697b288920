"""A reload logs in to the brokers of sensors that it changes, and is refused if that is refused."""

from __future__ import annotations

import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.free_ports import HOST, free_port
from tests.support.mosquitto import Mosquitto, Subscriber
from tests.support.placed_process import Program
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.deployment import Deployment

PRESENCE = "placed/rooms/boardroom/presence"


@pytest.fixture
async def sensors(deployment: Deployment) -> AsyncIterator[Mosquitto]:
    """A broker of sensors that wants a login."""
    broker = Mosquitto(deployment.folder / "sensors", users={"placed": "right", "radar": "radar"})
    await broker.start()
    write_secret(deployment.folder / "right", "right")
    write_secret(deployment.folder / "wrong", "wrong")
    try:
        yield broker
    finally:
        await broker.kill()


def configure(deployment: Deployment, url: str, password: str, topic: str = "z/radar") -> None:
    """Writes a configuration whose sensor reports to this broker."""
    deployment.configure()
    table = f"""
[sensor_brokers.other]
url = "{url}"
username = "placed"
password_file = "{deployment.folder / password}"

[[sensors]]
broker = "other"
topic = "{topic}"
room = "boardroom"
presence = "@"
"""
    deployment.file.write_text(deployment.file.read_text() + table)


@asynccontextmanager
async def placed(deployment: Deployment) -> AsyncIterator[Program]:
    """`placed run`, ready."""
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        yield program
        assert "Traceback" not in "\n".join(program.err)


async def present(deployment: Deployment, sensors: Mosquitto, topic: str = "z/radar") -> None:
    """A sensor reports, and the presence is published."""
    async with (
        Subscriber(sensors, username="radar", password="radar") as radar,
        Subscriber(deployment.broker, PRESENCE) as panel,
    ):
        await radar.publish(topic, "ON", retain=True)
        await panel.message(PRESENCE, "ON")


@pytest.mark.parametrize("mistake", ["password", "address"])
async def test_a_changed_broker_that_does_not_let_it_in_refuses_the_reload(
    deployment: Deployment, sensors: Mosquitto, mistake: str
) -> None:
    configure(deployment, sensors.url, "right")
    async with placed(deployment) as program:
        await program.logged("sensors.connected")
        if mistake == "password":
            configure(deployment, sensors.url, "wrong", topic="z/other")
        else:
            configure(deployment, f"mqtt://{HOST}:{free_port()}", "right", topic="z/other")
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert "sensor_brokers.other." in refused["problem"]
        assert "mqtt.username" not in refused["problem"]
        await program.logged("configuration.stays")
        assert [entry["event"] for entry in program.logs].count("configuration.was_refused") == 1
        await present(deployment, sensors)


async def test_a_new_broker_that_lets_it_in_is_taken_up(deployment: Deployment, sensors: Mosquitto) -> None:
    deployment.configure()
    async with placed(deployment) as program:
        configure(deployment, sensors.url, "right")
        program.signal(signal.SIGHUP)
        await program.logged("sensors.connected")
        await present(deployment, sensors)


async def test_a_broker_that_refuses_it_already_keeps_no_other_change_from_being_taken_up(
    deployment: Deployment, sensors: Mosquitto
) -> None:
    configure(deployment, sensors.url, "wrong")
    async with placed(deployment) as program:
        await program.logged("broker.refused_login")
        configure(deployment, sensors.url, "wrong", topic="z/other")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
