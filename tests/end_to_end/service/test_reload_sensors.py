"""A reload takes up sensors and brokers that are added, changed or removed, and restarts nothing else."""

from __future__ import annotations

import json
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.end_to_end.service.test_reload_changes_only_what_changed import Watched, watched
from tests.support.mosquitto import Mosquitto, Subscriber
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival

TRUE, FALSE = '{"occupancy":true}', '{"occupancy":false}'


def table(room: str, topic: str, **more: object) -> str:
    """A radar in a room."""
    values = {"room": room, "topic": topic, "presence": "occupancy", "kind": "radar", **more}
    return "\n".join(
        ["", "[[sensors]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]
    )


def broker_table(broker: Mosquitto, **more: object) -> str:
    """A broker of sensors, `other`."""
    values = {"url": broker.url, **more}
    return "\n".join(
        ["", "[sensor_brokers.other]", *(f"{key} = {json.dumps(v)}" for key, v in values.items()), ""]
    )


class Sensed:
    """A daemon whose sensors are changed by reloads."""

    def __init__(self, daemon: Watched) -> None:
        self.daemon = daemon
        self.panel = daemon.panel
        self._file = daemon.deployment.file
        self._without = self._file.read_text()

    def write(self, *tables: str) -> None:
        """The configuration has these tables of sensors and their brokers."""
        self._file.write_text(self._without + "".join(tables))

    async def reload(self, *tables: str, connects_to: Mosquitto | None = None) -> list[str]:
        """Reloads with these tables; returns what changed, once the daemon is subscribed to that broker."""
        after = len(self.daemon.program.err)
        self.write(*tables)
        changed = await self.daemon.reload()
        if connects_to is not None:
            address = f'"broker": "127.0.0.1:{connects_to.port}"'
            await self.daemon.program.wait_for_line("sensors.connected", address, after=after)
        return changed

    async def shows(self, room: str, state: str | None, *, after: int = 0) -> Arrival:
        """Waits for a state of the room with this presence; None is for a room without sensors."""
        return await self.panel.until(
            lambda a: a.topic == f"placed/rooms/{room}/state" and _presence(a) == state, after=after
        )

    def connections(self, broker: Mosquitto) -> int:
        """How often the daemon has connected to a broker for its sensors."""
        address = f"127.0.0.1:{broker.port}"
        logs = self.daemon.program.logs
        return len([log for log in logs if log["event"] == "sensors.connected" and log["broker"] == address])


def _presence(state: Arrival) -> str | None:
    presence: dict[str, Any] | None = state.document["presence"] if state.payload else None
    return presence["state"] if presence is not None else None


@asynccontextmanager
async def sensed(deployment: Deployment) -> AsyncIterator[Sensed]:
    """The daemon runs without sensors. In the end nothing but these was restarted."""
    async with watched(deployment) as daemon:
        yield Sensed(daemon)
        await daemon.nothing_was_restarted()


@asynccontextmanager
async def other_broker(deployment: Deployment, **more: Any) -> AsyncIterator[Mosquitto]:
    """A broker that only sensors use."""
    broker = Mosquitto(deployment.folder / "other", **more)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.kill()


async def test_a_sensor_that_is_added_is_read_and_one_that_is_removed_is_cleared(
    deployment: Deployment,
) -> None:
    async with sensed(deployment) as one:
        main = deployment.broker
        assert await one.reload(table("library", "z/library"), connects_to=main) == ["sensors"]
        await one.shows("library", "unknown")
        await one.panel.publish("z/library", TRUE)
        await one.shows("library", "present")
        await one.panel.message("placed/rooms/library/presence", "ON")
        after = len(one.panel.arrivals)
        assert await one.reload() == ["sensors"]
        await one.shows("library", None, after=after)
        await one.panel.message("placed/rooms/library/presence", "", after=after)
        await main.wait_for_line("-sensors disconnected")
        assert one.connections(main) == 1


async def test_what_is_known_of_a_sensor_stays_where_it_or_another_one_is_changed(
    deployment: Deployment,
) -> None:
    async with sensed(deployment) as one:
        main = deployment.broker
        await one.reload(table("library", "z/library"), connects_to=main)
        await one.panel.publish("z/library", TRUE)
        before = await one.shows("library", "present")
        after = len(one.panel.arrivals)
        changed = (table("library", "z/library", stale_after="3m"), table("boardroom", "z/boardroom"))
        assert await one.reload(*changed, connects_to=main) == ["sensors"]
        await one.shows("boardroom", "unknown", after=after)
        now = await one.shows("library", "present", after=after)
        assert now.document["presence"]["since"] == before.document["presence"]["since"]
        assert now.document["presence"]["valid_until"] < before.document["presence"]["valid_until"]
        states = [a for a in one.panel.arrivals[after:] if a.topic == "placed/rooms/library/state"]
        assert {_presence(state) for state in states} == {"present"}


async def test_another_topic_is_read_and_the_earlier_one_is_not(deployment: Deployment) -> None:
    async with sensed(deployment) as one:
        main = deployment.broker
        await one.reload(table("library", "z/first", name="radar"), connects_to=main)
        await one.reload(table("library", "z/second", name="radar"), connects_to=main)
        await one.panel.publish("z/first", TRUE)
        await one.panel.publish("z/second", FALSE)
        await one.shows("library", "empty")
        states = [a for a in one.panel.arrivals if a.topic == "placed/rooms/library/state"]
        assert "present" not in {_presence(state) for state in states}


async def test_a_broker_of_sensors_is_added_changed_and_removed_and_the_other_one_goes_on(
    deployment: Deployment,
) -> None:
    users = {"first": "pass", "second": "word"}
    for user, password in users.items():
        write_secret(deployment.folder / user, password)
    logins = [{"username": user, "password_file": str(deployment.folder / user)} for user in users]
    stays = table("boardroom", "z/boardroom")
    moves = table("library", "z/library", broker="other")
    async with other_broker(deployment, users=users) as other, sensed(deployment) as one:
        main = deployment.broker
        await one.reload(stays, connects_to=main)
        first = broker_table(other, **logins[0])
        assert await one.reload(stays, moves, first, connects_to=other) == ["sensors"]
        async with Subscriber(other, username="first", password="pass") as sensor:
            await sensor.publish("z/library", TRUE)
            await one.shows("library", "present")
            second = broker_table(other, **logins[1])
            assert await one.reload(stays, moves, second, connects_to=other) == ["sensors"]
            after = len(one.panel.arrivals)
            await sensor.publish("z/library", FALSE)
            await one.panel.publish("z/boardroom", TRUE)
            await one.shows("boardroom", "present", after=after)
        after = len(one.panel.arrivals)
        assert await one.reload(stays) == ["sensors"]
        await one.shows("library", None, after=after)
        assert (one.connections(main), one.connections(other)) == (1, 2)
        assert len([line for line in other.log if "-sensors disconnected" in line]) == 2


async def test_sensors_are_changed_while_their_broker_is_away(deployment: Deployment) -> None:
    first = table("library", "z/library", broker="other")
    async with other_broker(deployment) as other, sensed(deployment) as one:
        await one.reload(first, broker_table(other), connects_to=other)
        await other.stop()
        second = table("boardroom", "z/boardroom", broker="other")
        assert await one.reload(first, second, broker_table(other)) == ["sensors"]
        await one.shows("boardroom", "unknown")
        after = len(one.daemon.program.err)
        await other.start()
        await one.daemon.program.wait_for_line("sensors.connected", after=after)
        async with Subscriber(other) as sensor:
            for topic in ("z/library", "z/boardroom"):
                await sensor.publish(topic, TRUE)
        for room in ("library", "boardroom"):
            await one.shows(room, "present")


async def test_a_wrong_table_is_refused_and_the_earlier_sensors_are_read(deployment: Deployment) -> None:
    async with sensed(deployment) as one:
        await one.reload(table("library", "z/library"), connects_to=deployment.broker)
        for wrong in (
            table("library", "z/library", presence="occupancy ||"),
            table("library", "z/library", broker="other"),
            table("library", "z/+x"),
        ):
            after = len(one.daemon.program.err)
            one.write(wrong)
            one.daemon.program.signal(signal.SIGHUP)
            await one.daemon.program.wait_for_line("configuration.stays", after=after)
        await one.panel.publish("z/library", TRUE)
        await one.shows("library", "present")
        assert one.connections(deployment.broker) == 1


async def test_another_token_of_a_webhook_counts_and_no_connection_is_made_again(
    deployment: Deployment,
) -> None:
    token = deployment.folder / "token"
    tables = (
        table("library", "z/library"),
        f'\n[[sensors]]\nname = "hook"\nroom = "boardroom"\npresence = "@"\ntoken_file = "{token}"\n',
    )
    async with sensed(deployment) as one, aiohttp.ClientSession() as session:

        async def post(bearer: str) -> int:
            url, headers = f"{one.daemon.url}/api/v1/sensors/hook", {"Authorization": f"Bearer {bearer}"}
            async with session.post(url, data="ON", headers=headers) as answer:
                return answer.status

        write_secret(token, "the-first-token")
        await one.reload(*tables, connects_to=deployment.broker)
        assert await post("the-first-token") == 204
        await one.shows("boardroom", "present")
        write_secret(token, "the-second-token")
        assert await one.reload(*tables) == ["sensors"]
        assert (await post("the-first-token"), await post("the-second-token")) == (401, 204)
        await one.reload(tables[0])
        assert await post("the-second-token") == 404
        assert one.connections(deployment.broker) == 1


async def test_a_webhook_that_is_removed_while_its_message_arrives_is_not_found(
    deployment: Deployment,
) -> None:
    token = deployment.folder / "token"
    hook = f'\n[[sensors]]\nname = "hook"\nroom = "boardroom"\npresence = "@"\ntoken_file = "{token}"\n'
    async with sensed(deployment) as one, aiohttp.ClientSession() as session:
        write_secret(token, "the-token")
        await one.reload(hook)

        async def message() -> AsyncIterator[bytes]:
            yield b"O"
            await one.reload()
            yield b"N"

        url, headers = f"{one.daemon.url}/api/v1/sensors/hook", {"Authorization": "Bearer the-token"}
        async with session.post(url, data=message(), headers=headers) as answer:
            assert answer.status == 404
