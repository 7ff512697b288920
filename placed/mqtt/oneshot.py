"""Short connections to the broker beside the daemon's: with another client id, no will and no session."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from placed.domain.exit_errors import CannotStart
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.connect_options import Will
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client_options import client_id_of, login_options
from placed.mqtt.connect_diagnosis import diagnose, what_it_lacks
from placed.mqtt.connection_problems import (
    BrokerLost,
    Trouble,
    why_lost,
    why_not_connected,
)
from placed.mqtt.write_trial import NOT_WRITABLE, why_not_written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client_options import Login
    from placed.mqtt.messages import Message
    from placed.settings.output_settings import Mqtt

_CONNECT = 40.0  # seconds for DNS, TCP, TLS and login together
_TRIAL = 10.0  # seconds for the same, while a reload waits for it
_ABOUT_THE_CLIENT_ID = ("broker.refused_client_id", "broker.refused_login")


@asynccontextmanager
async def connected(settings: Mqtt, purpose: str) -> AsyncIterator[BrokerClient]:
    """Connects and logs in; `purpose` is added to the client identifier.

    Raises:
        BrokerLost: that failed, or the connection was lost.
        CannotStart: files that the settings name cannot be used.
    """
    options = oneshot_options(settings, f"{client_id_of(settings)}-{purpose}")
    broker = new_client(options)
    try:
        async with asyncio.timeout(_CONNECT):
            await broker.open()
    except TimeoutError:
        raise BrokerLost(Trouble.of("broker.was_not_reached", "it takes too long")) from None
    except (MqttError, ValueError) as error:
        raise BrokerLost(await diagnose(error, options)) from error
    try:
        yield broker
    except MqttError as error:
        raise BrokerLost(why_lost(error)) from error
    finally:
        await broker.close()


def trial_will(settings: Mqtt) -> Will:
    """Returns an empty will with the daemon's QoS: a broker that refuses this QoS reports it at once."""
    return Will(f"{settings.base_topic}/bridge/doctor", b"")


def oneshot_options(settings: Mqtt, client_id: str) -> ConnectOptions:
    """Returns the options for a short connection: all retained messages arrive at once, and are kept."""
    return replace(login_options(settings, client_id), queue=None)


# --- the trial of a changed login, before the running daemon stops ---


async def try_login(
    wanted: Login,
    running: Login | None,
    *,
    connected: bool,
    writes: Callable[[str], Message] | None = None,
) -> None:
    """Logs in with a changed configuration, publishes, and disconnects.

    The trial has its own client identifier, so the running session is not taken over.

    Args:
        wanted: the login to try.
        running: the login of the running daemon, if it has a broker.
        connected: whether the running daemon is connected.
        writes: returns a message that the login has to be able to publish, for a base topic; the broker does
            not keep it. None tries no such thing.

    Raises:
        CannotStart: the broker refuses the login or what it publishes, or cannot be reached although the
            running one can.
    """
    if running is not None and connected and _same_rights(running, wanted):
        return
    trouble = await _trouble(wanted, writes)
    if trouble is None:
        return
    if trouble.event == NOT_WRITABLE and running is not None and connected:
        if await _refuses_trial_writes(running, wanted, writes):
            return
        raise CannotStart(trouble.at(wanted.address))
    if trouble.problem.lasting:
        if connected and running is not None and await _refuses_trial_client_id(trouble, running, wanted):
            return
        raise CannotStart(trouble.at(wanted.address))
    if running is not None and running.place == wanted.place and not connected:
        return  # the broker is away for both; the daemon waits for it after a start
    problem = trouble.at(wanted.address)
    remedy = problem.remedy or "correct the address, or start that broker, and reload again"
    raise CannotStart(replace(problem, remedy=remedy))


async def _refuses_trial_client_id(trouble: Trouble, running: Login, wanted: Login) -> bool:
    """Returns whether the running login is refused too, because the broker allows only known client ids."""
    if trouble.event not in _ABOUT_THE_CLIENT_ID or running.address != wanted.address:
        return False
    again = await _trouble(running)
    return again is not None and again.event in _ABOUT_THE_CLIENT_ID


def _same_rights(running: Login, wanted: Login) -> bool:
    """Returns whether the broker sees no difference: the same login, and the same topics."""
    return running.mark == wanted.mark and running.settings.base_topic == wanted.settings.base_topic


async def _refuses_trial_writes(
    running: Login, wanted: Login, writes: Callable[[str], Message] | None
) -> bool:
    """Returns whether the running login may not write in a trial either: access depends on the client id."""
    if running.address != wanted.address:
        return False
    again = await _trouble(running, writes)
    return again is not None and again.event == NOT_WRITABLE


async def _trouble(login: Login, writes: Callable[[str], Message] | None = None) -> Trouble | None:
    """Returns why a login fails; None if it works."""
    client_id = f"{login.options.client_id}-reload"
    options = replace(login.options, client_id=client_id, will=trial_will(login.settings))
    client = new_client(options)
    try:
        async with asyncio.timeout(_TRIAL):
            await client.open()
    except TimeoutError as error:
        found = await _why(error, options)
        late = Trouble.of("broker.was_not_reached", f"no answer within {_TRIAL:g} s")
        return found if found.problem.remedy else late
    except (MqttError, ValueError) as error:
        return await _why(error, options)
    try:
        lacking = what_it_lacks(client)
        if lacking is not None or writes is None:
            return lacking
        message, v5 = writes(login.settings.base_topic), login.settings.protocol == "5"
        async with asyncio.timeout(_TRIAL):
            return await why_not_written(client, message, v5=v5)
    except (MqttError, TimeoutError) as error:
        return Trouble.of("broker.was_lost", str(error) or f"no answer within {_TRIAL:g} s")
    finally:
        await client.close()


async def _why(error: Exception, options: ConnectOptions) -> Trouble:
    """Returns the cause of an error; the probe has limited time."""
    try:
        async with asyncio.timeout(_TRIAL):
            return await diagnose(error, options)
    except TimeoutError:
        return why_not_connected(error, options.protocol)
