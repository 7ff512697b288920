"""A visit to the broker beside the daemon: with a client identifier of its own, no will and no session."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiomqtt

from placed.domain.exit_errors import CannotStart
from placed.mqtt.client import BrokerClient
from placed.mqtt.client_options import client_id_of, login_options
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.errors import BrokerLost, Trouble, no_qos_1, why_lost, why_not_connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed.mqtt.client_options import Login
    from placed.settings.schema import Mqtt

_CONNECT = 40.0  # seconds for DNS, TCP, TLS and login together
_PATIENCE = 10.0  # seconds for the same, where a reload waits for it
_ABOUT_THE_CLIENT_ID = ("broker.refused_client_id", "broker.refused_login")


@asynccontextmanager
async def visit(settings: Mqtt, purpose: str) -> AsyncIterator[BrokerClient]:
    """A connection, logged in; `purpose` is added to the client identifier.

    Raises:
        BrokerLost: it could not be made, or was lost.
        CannotStart: files that the settings name can not be used.
    """
    options = visiting_options(settings, f"{client_id_of(settings)}-{purpose}")
    broker = BrokerClient(**options)
    try:
        async with asyncio.timeout(_CONNECT):
            await broker.open()
    except TimeoutError:
        raise BrokerLost(Trouble.of("broker.was_not_reached", "it takes too long")) from None
    except (aiomqtt.MqttError, OSError, ValueError) as error:
        raise BrokerLost(await diagnose(error, options)) from error
    try:
        yield broker
    except aiomqtt.MqttError as error:
        raise BrokerLost(why_lost(error)) from error
    finally:
        await broker.close()


def trial_will(settings: Mqtt) -> aiomqtt.Will:
    """A will that says nothing, with the daemon's QoS: a broker that refuses that reports it at once."""
    return aiomqtt.Will(f"{settings.base_topic}/bridge/doctor", b"", qos=1)


def visiting_options(settings: Mqtt, client_id: str) -> dict[str, Any]:
    """What a `BrokerClient` takes for a visit."""
    options = login_options(settings, client_id)
    options["max_queued_incoming_messages"] = None  # all that is retained comes at once
    if settings.protocol == "5":
        return options | {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": True}
    return options | {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": True}


# --- a changed login, before the running daemon gives way ---


async def try_login(wanted: Login, running: Login | None, *, connected: bool) -> None:
    """Logs in with what a changed configuration says.

    Args:
        wanted: what is tried.
        running: what the running daemon logs in with, if it has a broker.
        connected: whether that one is connected.

    Raises:
        CannotStart: the broker refuses it, or cannot be reached although the running one can.
    """
    same = running is not None and running.mark == wanted.mark
    if same and connected:
        return
    trouble = await _trouble(wanted)
    if trouble is None:
        return
    if trouble.problem.lasting:
        if connected and running is not None and await _refuses_the_trial_itself(trouble, running, wanted):
            return
        raise CannotStart(trouble.at(wanted.address))
    if running is not None and running.place == wanted.place and not connected:
        return  # it is away for both; a start waits for it
    problem = trouble.at(wanted.address)
    remedy = problem.remedy or "correct the address, or start that broker, and reload again"
    raise CannotStart(replace(problem, remedy=remedy))


async def _refuses_the_trial_itself(trouble: Trouble, running: Login, wanted: Login) -> bool:
    """Whether a login that works is refused as well, since the broker knows clients by their identifier."""
    if trouble.event not in _ABOUT_THE_CLIENT_ID or running.address != wanted.address:
        return False
    again = await _trouble(running)
    return again is not None and again.event in _ABOUT_THE_CLIENT_ID


async def _trouble(login: Login) -> Trouble | None:
    """Why a login fails; None if it works."""
    session: dict[str, Any] = {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": True}
    if login.settings.protocol == "5":
        session = {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": True}
    identifier = f"{login.options['identifier']}-reload"
    will = trial_will(login.settings)
    options = {**login.options, **session, "identifier": identifier, "will": will}
    connection = BrokerClient(**options)
    try:
        async with asyncio.timeout(_PATIENCE):
            await connection.open()
    except TimeoutError as error:
        found = await _why(error, options, login.settings.protocol)
        late = Trouble.of("broker.was_not_reached", f"no answer within {_PATIENCE:g} s")
        return found if found.problem.remedy else late
    except (aiomqtt.MqttError, OSError, ValueError) as error:
        return await _why(error, options, login.settings.protocol)
    takes_qos_1 = connection.takes_qos_1
    await connection.close()
    return None if takes_qos_1 else no_qos_1()


async def _why(error: Exception, options: dict[str, Any], protocol: str) -> Trouble:
    """What the error means; a longer look is cut off."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await diagnose(error, options)
    except TimeoutError:
        return why_not_connected(error, protocol)
