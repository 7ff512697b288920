"""Tries a changed broker before the running daemon gives way: it logs in beside it and leaves again.

The trial has a client identifier of its own, so the running session is not taken over. Its will says
nothing, and it publishes nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiomqtt

from placed.domain.exit_errors import CannotStart
from placed.mqtt.client import Connection
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.errors import Trouble, no_qos_1, why_not_connected
from placed.mqtt.oneshot import trial_will

if TYPE_CHECKING:
    from placed.mqtt.client_options import Login

_PATIENCE = 10.0  # seconds for DNS, TCP, TLS and login together
_ABOUT_THE_CLIENT_ID = ("broker.refused_client_id", "broker.refused_login")


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
    if trouble.lasting:
        if connected and running is not None and await _refuses_the_trial_itself(trouble, running, wanted):
            return
        raise CannotStart(f"mqtt.{trouble.key}: {wanted.address}: {trouble.text}; {trouble.remedy}")
    if running is not None and running.place == wanted.place and not connected:
        return  # it is away for both; a start waits for it
    remedy = trouble.next_step or "correct the address, or start that broker, and reload again"
    raise CannotStart(f"mqtt.{trouble.key}: {wanted.address}: {trouble.text}; {remedy}")


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
    connection = Connection(**options)
    try:
        async with asyncio.timeout(_PATIENCE):
            await connection.open()
    except TimeoutError as error:
        found = await _why(error, options, login.settings.protocol)
        late = Trouble("broker.was_not_reached", f"no answer within {_PATIENCE:g} s")
        return found if found.next_step else late
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
