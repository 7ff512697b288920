"""Tries to log in to a broker of sensors that a reload changes, beside the connection that is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from placed.domain.exit_errors import CannotStart
from placed.mqtt.connection_problems import BrokerLost, Trouble
from placed.mqtt.oneshot import connected as connected_to

if TYPE_CHECKING:
    from placed.sensors.sensor_broker_login import BrokerLink

_TRIAL = 20.0  # seconds for the login, and for finding out why it fails
_ABOUT_THE_CLIENT_ID = ("broker.refused_client_id", "broker.refused_login")


async def try_broker(wanted: BrokerLink, running: BrokerLink | None, *, connected: bool) -> None:
    """Logs in, and disconnects; a login that is used already is not tried.

    Args:
        wanted: the broker, by the changed configuration.
        running: the same by the configuration that is used; None if it has no such table.
        connected: whether there is a connection to the running one.

    Raises:
        CannotStart: the broker refuses the login, or cannot be reached although the running one can.
    """
    if running is not None and running.login.mark == wanted.login.mark:
        return
    trouble = await _trouble(wanted)
    if trouble is None:
        return
    if trouble.problem.lasting:
        if running is not None and connected and await _refuses_other_client_ids(trouble, running, wanted):
            return
    elif running is not None and running.login.place == wanted.login.place and not connected:
        return  # it is away for both
    problem = wanted.own(trouble.at(wanted.title))
    remedy = problem.remedy or "correct the address, or start that broker, and reload again"
    raise CannotStart(replace(problem, remedy=remedy))


async def _refuses_other_client_ids(trouble: Trouble, running: BrokerLink, wanted: BrokerLink) -> bool:
    """Returns whether a trial with the login that works is refused, too."""
    if trouble.event not in _ABOUT_THE_CLIENT_ID or running.title != wanted.title:
        return False
    again = await _trouble(running)
    return again is not None and again.event in _ABOUT_THE_CLIENT_ID


async def _trouble(link: BrokerLink) -> Trouble | None:
    """Returns why a login fails; None if it works."""
    try:
        async with asyncio.timeout(_TRIAL), connected_to(link.login.settings, "sensors-reload"):
            return None
    except TimeoutError:
        return Trouble.of("broker.was_not_reached", f"no answer within {_TRIAL:g} s")
    except BrokerLost as lost:
        return lost.trouble
