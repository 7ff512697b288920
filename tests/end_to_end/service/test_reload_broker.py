"""A reload whose broker does not work is refused, and everything goes on as it was."""

from __future__ import annotations

import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.service.test_signals import lies
from tests.support.free_ports import free_port
from tests.support.mosquitto import Authority, Mosquitto, Subscriber
from tests.support.placed_process import Program
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.deployment import Deployment

STATUS = "placed/rooms/boardroom/status"


@pytest.fixture
async def broker(deployment: Deployment) -> AsyncIterator[Mosquitto]:
    """Speaks TLS and wants a login; the configuration has both right."""
    broker = Mosquitto(
        deployment.folder / "secured",
        authority=Authority(deployment.folder / "authority"),
        users={"placed": "right", "panel": "panel"},
    )
    await broker.start()
    write_secret(deployment.folder / "password", "right")
    try:
        yield broker
    finally:
        await broker.kill()


def configure(deployment: Deployment, broker: Mosquitto, **changes: Any) -> None:
    """Writes the configuration with this broker, but for these changes; what is None is left out."""
    assert broker.authority is not None
    usual = {
        "url": broker.url,
        "ca_file": str(broker.authority.ca_file),
        "username": "placed",
        "password_file": str(deployment.folder / "password"),
    }
    deployment.configure(mqtt={key: value for key, value in (usual | changes).items() if value is not None})


@asynccontextmanager
async def placed(deployment: Deployment, broker: Mosquitto) -> AsyncIterator[tuple[Program, Subscriber]]:
    """`placed run`, ready, with a busy boardroom, and a panel."""
    deployment.tenant.book("boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    configure(deployment, broker)
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with (
        Program.start(deployment.folder, *arguments) as program,
        Subscriber(broker, "placed/#", username="panel", password="panel") as panel,
    ):
        await program.logged("daemon.became_ready")
        await panel.message(STATUS, "busy")
        yield program, panel
        assert "Traceback" not in "\n".join(program.err)


async def goes_on(deployment: Deployment, program: Program, panel: Subscriber, heard: int) -> None:
    """What is new is still published, no panel saw anything, and it ends as it should."""
    deployment.tenant.book("library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    await panel.message("placed/rooms/library/status", "busy", after=heard)
    await panel.caught_up()
    assert lies(panel, heard) == []
    program.signal(signal.SIGTERM)
    assert await program.ends() == 0


def in_a_file(deployment: Deployment, broker: Mosquitto, mistake: str) -> str:
    """Makes a mistake in a file that the configuration names; the setting that has to be in the log."""
    password = deployment.folder / "password"
    match mistake:
        case "password":
            password.write_text("wrong")
        case "no password":
            password.unlink()
            return "mqtt.password_file"
        case _:
            assert broker.authority is not None
            broker.authority.ca_file.write_bytes(
                Authority(deployment.folder / "stranger").ca_file.read_bytes()
            )
            return "mqtt.ca_file"
    return "mqtt.username"


def in_the_table(deployment: Deployment, broker: Mosquitto, mistake: str) -> str:
    """Makes a mistake in the table [mqtt]; the setting that has to be in the log."""
    write_secret(deployment.folder / "other", "wrong")
    stranger = Authority(deployment.folder / "stranger")
    mistakes: dict[str, tuple[str, dict[str, Any]]] = {
        "host": ("mqtt.url: broker.invalid", {"url": f"mqtts://broker.invalid:{broker.port}"}),
        "address": ("mqtt.url: 127.0.0.2", {"url": f"mqtts://127.0.0.2:{broker.port}"}),
        "port": ("mqtt.url: 127.0.0.1", {"url": f"mqtts://127.0.0.1:{free_port()}"}),
        "no TLS": ("mqtt.", {"url": f"mqtt://127.0.0.1:{broker.port}", "ca_file": None}),
        "user": ("mqtt.username", {"username": "nobody"}),
        "no login": ("mqtt.username", {"username": None, "password_file": None}),
        "password file": ("mqtt.username", {"password_file": str(deployment.folder / "other")}),
        "ca_file": ("mqtt.ca_file", {"ca_file": str(stranger.ca_file)}),
    }
    named, changes = mistakes[mistake]
    configure(deployment, broker, **changes)
    return named


IN_A_FILE = ("password", "no password", "content of the ca_file")
IN_THE_TABLE = ("host", "address", "port", "no TLS", "user", "no login", "password file", "ca_file")


@pytest.mark.parametrize("mistake", [*IN_A_FILE, *IN_THE_TABLE])
async def test_a_broker_that_does_not_work_is_refused_and_the_earlier_one_stays(
    deployment: Deployment, broker: Mosquitto, mistake: str
) -> None:
    async with placed(deployment, broker) as (program, panel):
        heard = len(panel.arrivals)
        make = in_a_file if mistake in IN_A_FILE else in_the_table
        named = make(deployment, broker, mistake)
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert named in refused["problem"]
        assert "wrong" not in refused["problem"]
        await program.logged("configuration.stays")
        await goes_on(deployment, program, panel, heard)


async def test_a_missing_client_certificate_is_refused(deployment: Deployment) -> None:
    authority = Authority(deployment.folder / "authority")
    broker = Mosquitto(deployment.folder / "strict", authority=authority, client_certificates=True)
    await broker.start()
    try:
        certificate, key = authority.issue("placed")
        deployment.tenant.book(
            "boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
        )
        table = {"url": broker.url, "ca_file": str(authority.ca_file)}
        deployment.configure(mqtt=table | {"certificate": str(certificate), "key": str(key)})
        arguments = ("run", "-c", deployment.file, "--log-format", "json")
        async with (
            Program.start(deployment.folder, *arguments) as program,
            Subscriber(broker, "placed/#") as panel,
        ):
            await program.logged("daemon.became_ready")
            await panel.message(STATUS, "busy")
            heard = len(panel.arrivals)
            deployment.configure(mqtt=table)
            program.signal(signal.SIGHUP)
            refused = await program.logged("configuration.was_refused")
            assert "mqtt." in refused["problem"]
            await goes_on(deployment, program, panel, heard)
    finally:
        await broker.kill()


async def test_a_reload_goes_through_while_the_broker_is_away(
    deployment: Deployment, broker: Mosquitto
) -> None:
    """It is away for the earlier configuration as well, and what was changed has nothing to do with it."""
    async with placed(deployment, broker) as (program, _):
        await broker.stop()
        await program.logged("broker.was_lost")
        deployment.connections.clear()
        deployment.connect(rooms=["library"])
        configure(deployment, broker, plain_topics=False)
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        await broker.start()
        async with Subscriber(broker, "placed/#", username="panel", password="panel") as panel:
            await panel.message("placed/rooms/library/state")
        assert not [entry for entry in program.logs if entry["event"] == "configuration.was_refused"]


async def test_what_only_shows_after_the_switch_leads_back_to_the_earlier_configuration(
    deployment: Deployment, broker: Mosquitto
) -> None:
    """A broker that keeps nothing refuses a will that is to be kept, which a trial does not have."""
    forgetful = Mosquitto(
        deployment.folder / "forgetful",
        authority=broker.authority,
        users={"placed": "right"},
        extra=["retain_available false"],
    )
    await forgetful.start()
    try:
        async with placed(deployment, broker) as (program, panel):
            heard = len(panel.arrivals)
            configure(deployment, forgetful)
            program.signal(signal.SIGHUP)
            refused = await program.logged("configuration.was_refused")
            assert "mqtt." in refused["problem"]
            await program.logged("configuration.stays")
            await panel.until(
                lambda a: a.topic == "placed/bridge/state" and a.document["state"] == "online", after=heard
            )
            deployment.tenant.book(
                "library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
            )
            await panel.message("placed/rooms/library/status", "busy", after=heard)
            program.signal(signal.SIGTERM)
            assert await program.ends() == 0
    finally:
        await forgetful.kill()


async def test_a_login_that_is_wrong_but_could_not_be_tried_does_not_end_it(
    deployment: Deployment, broker: Mosquitto
) -> None:
    """The broker was away when the configuration was read, and refuses the login when it is back."""
    async with placed(deployment, broker) as (program, _):
        await broker.stop()
        await program.logged("broker.was_lost")
        (deployment.folder / "password").write_text("wrong")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        await broker.start()
        refused = await program.logged("configuration.was_refused")
        assert "mqtt.username" in refused["problem"]
        async with Subscriber(broker, "placed/#", username="panel", password="panel") as panel:
            heard = len(panel.arrivals)
            deployment.tenant.book(
                "library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
            )
            await panel.message("placed/rooms/library/status", "busy", after=heard)


async def test_a_second_reload_with_the_right_login_is_taken_up(
    deployment: Deployment, broker: Mosquitto
) -> None:
    async with placed(deployment, broker) as (program, panel):
        heard = len(panel.arrivals)
        (deployment.folder / "password").write_text("wrong")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_refused")
        (deployment.folder / "password").write_text("right")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        await goes_on(deployment, program, panel, heard)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_login_that_may_not_write_is_refused_and_the_earlier_one_stays(
    deployment: Deployment, protocol: str
) -> None:
    broker = Mosquitto(
        deployment.folder / "guarded",
        authority=Authority(deployment.folder / "authority"),
        users={"placed": "right", "reader": "right", "panel": "panel"},
        access=(
            "user placed",
            "topic readwrite placed/#",
            "user reader",
            "topic read placed/#",
            "user panel",
            "topic readwrite #",
        ),
    )
    await broker.start()
    write_secret(deployment.folder / "password", "right")
    try:
        async with placed(deployment, broker) as (program, panel):
            heard = len(panel.arrivals)
            configure(deployment, broker, username="reader", protocol=protocol)
            program.signal(signal.SIGHUP)
            refused = await program.logged("configuration.was_refused")
            assert "mqtt.username: " in refused["problem"]
            assert "allow this login to write placed/bridge/info" in refused["problem"]
            await program.logged("configuration.stays")
            await goes_on(deployment, program, panel, heard)
    finally:
        await broker.kill()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_where_access_depends_on_the_client_id_a_trial_refuses_no_login(
    deployment: Deployment, protocol: str
) -> None:
    """The trial has a client id of its own, which may not write: with the earlier login it may not either."""
    broker = Mosquitto(
        deployment.folder / "by-client",
        authority=Authority(deployment.folder / "authority"),
        users={"placed": "right", "other": "right", "panel": "panel"},
        access=("pattern readwrite %c/#", "user panel", "topic readwrite #"),
    )
    await broker.start()
    write_secret(deployment.folder / "password", "right")
    try:
        async with placed(deployment, broker) as (program, panel):
            heard = len(panel.arrivals)
            configure(deployment, broker, username="other", protocol=protocol)
            program.signal(signal.SIGHUP)
            await program.logged("configuration.was_reloaded")
            await panel.message(STATUS, "busy", after=heard)
    finally:
        await broker.kill()
