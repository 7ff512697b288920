"""Tries a changed configuration in earnest, before the daemon that runs gives way to it.

What is wrong with files is known when a daemon is made. That a credential or a login is refused, or that a
port is taken, only shows when it is used, and then it would be too late to go back.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from placed.domain.corrected_clock import CorrectedClock
from placed.domain.exit_errors import CannotStart
from placed.domain.model import window
from placed.domain.problem import Problem
from placed.driver import UNTRIED, DriverError, FenceState, FenceTrial, Query, Refused
from placed.http.listen_options import check_bindable, parse_address
from placed.mqtt.messages import BridgeInfo, bridge_info
from placed.mqtt.oneshot import try_login
from placed.mqtt.topics import Topics
from placed.polling.room_ids import RoomIds
from placed.runtime.connections import Problems, breach, open_drivers, refusal, take_over_sign_ins
from placed.sensors.login_trial import try_broker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from placed.driver import ConnectionSettings, Driver
    from placed.http.listen_options import ListenOptions
    from placed.mqtt.messages import Message
    from placed.runtime.daemon import Daemon, DaemonSurroundings
    from placed.runtime.prepared_configuration import Prepared
    from placed.settings.output_settings import Http
    from placed.settings.schema import Settings

_PATIENCE = 20.0  # seconds for all connections
_CHANGED = "the earlier settings still work: correct what was changed, and reload again"


async def rehearse(prepared: Prepared, surroundings: DaemonSurroundings, running: Daemon) -> None:
    """Signs in, tries the fence and reads a room with every connection that changes; tries broker and port.

    Of a connection that stays only the fence is tried. Of brokers and port only that is tried which the
    running daemon does not use already.

    Args:
        prepared: what is tried; its connections continue with the sign-ins of the trial.
        surroundings: what the daemon is given.
        running: the daemon that would take it up.

    Raises:
        CannotStart: it would not work with this configuration.
    """
    problems = Problems()
    clock = CorrectedClock(surroundings.clock, surroundings.times)
    with problems:
        await _try_port(prepared.settings.http, running.settings.http)
    with problems:
        _try_certificate(prepared.listen, running.prepared.listen, clock)
    outcomes = await asyncio.gather(
        _try_connections(prepared, surroundings, running, clock),
        _try_broker(prepared, running, surroundings.version),
        *_sensor_broker_trials(prepared, running),
        return_exceptions=True,
    )
    for outcome in outcomes:
        with problems:
            if outcome is not None:
                raise outcome
    problems.report()


async def _try_connections(
    prepared: Prepared, surroundings: DaemonSurroundings, running: Daemon, clock: CorrectedClock
) -> None:
    settings = prepared.settings
    # Drivers of their own: what a trial reads is not published, so those that poll must not know it already.
    drivers = open_drivers(prepared.configuration, clock, surroundings.version, prepared.drivers.keys())
    earlier = {name: connection.driver for name, connection in running.connections.by_name.items()}
    take_over_sign_ins(drivers, earlier)
    try:
        refusals = await asyncio.gather(
            *(
                _try_connection(
                    settings,
                    connection,
                    drivers[connection.name],
                    clock,
                    _that_reads(running, connection.name),
                )
                if connection.name in drivers
                else _try_fence(connection, earlier[connection.name])
                for connection in settings.connections
            )
        )
        take_over_sign_ins(prepared.drivers, drivers)
    finally:
        for driver in drivers.values():
            await driver.close()
    refused = {c.name: found for c, found in zip(settings.connections, refusals, strict=True) if found}
    breached = {name for name, found in refused.items() if found.breached}
    # One of several that is refused ends no start. But what is read now is not given up for a mistake, only
    # for a fence that does not hold.
    lost = refused.keys() & running.connections.read.keys() - breached
    if lost or len(refused) == len(refusals):
        raise CannotStart(*(found.problem for found in refused.values()))


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a connection is refused for good."""

    problem: Problem
    breached: bool = False


async def _try_fence(connection: ConnectionSettings, driver: Driver) -> _Refusal | None:
    """Tries the fence of a connection that stays; why it is refused for good, else None."""
    try:
        async with asyncio.timeout(_PATIENCE):
            fence = await driver.try_fence() if isinstance(driver, FenceTrial) else UNTRIED
    except Refused as error:
        return _Refusal(refusal(connection.name, error))
    except (DriverError, TimeoutError):
        return None
    if fence.state is FenceState.BREACHED and fence.enforce:
        return _Refusal(breach(connection.name, fence), breached=True)
    return None


def _that_reads(running: Daemon, name: str) -> Driver | None:
    """The running driver of a connection whose rooms are read now; None if there is none."""
    return running.connections.by_name[name].driver if name in running.connections.read else None


async def _try_connection(
    settings: Settings,
    connection: ConnectionSettings,
    driver: Driver,
    clock: CorrectedClock,
    earlier: Driver | None,
) -> _Refusal | None:
    """Why it is refused for good; None if it is not, or not yet known.

    Args:
        settings: all of them.
        connection: its table.
        driver: what was opened from that.
        clock: what time it is.
        earlier: the driver that reads the same connection until now, if it does.
    """
    try:
        async with asyncio.timeout(_PATIENCE):
            fence = await driver.try_fence() if isinstance(driver, FenceTrial) else UNTRIED
            if fence.state is FenceState.BREACHED and fence.enforce:
                return _Refusal(breach(connection.name, fence), breached=True)
            found = await driver.find_rooms()
            rooms = RoomIds(settings.rooms).rooms(connection.name, connection.time_zone, found)[:1]
            now, days = clock.now(), settings.polling.days_ahead
            queries = [Query(room, *window(now, room.time_zone, days)) for room in rooms]
            async for _ in driver.read(queries):
                pass  # that it can be read is all that counts
    except Refused as error:
        return _Refusal(refusal(connection.name, error))
    except DriverError as error:
        problem = refusal(connection.name, error)
    except TimeoutError:
        problem = Problem(f"connections.{connection.name}", f"no answer within {_PATIENCE:.0f} s")
    else:
        return None
    # The service may be away. But where the earlier settings list the rooms, these settings are at fault.
    if earlier is None or not await _lists_rooms(earlier):
        return None
    return _Refusal(problem if problem.remedy else replace(problem, remedy=_CHANGED))


async def _lists_rooms(driver: Driver) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            await driver.find_rooms()
    except (DriverError, TimeoutError):
        return False
    return True


async def _try_broker(prepared: Prepared, running: Daemon, version: str) -> None:
    if prepared.login is None:
        return
    board, publisher = running.board, running.publisher

    def what_is_true(base_topic: str) -> Message:
        info = BridgeInfo.of(running.settings, version)
        return bridge_info(Topics(base_topic), info, board.epoch, len(board.rooms))

    await try_login(
        prepared.login, running.prepared.login, connected=publisher.connected, writes=what_is_true
    )


def _sensor_broker_trials(prepared: Prepared, running: Daemon) -> Iterator[Awaitable[None]]:
    """The trials of the brokers of sensors; that of [mqtt] is tried as the publisher's."""
    links, subscriptions = running.prepared.sensors.links, running.sensors.subscriptions
    for name, link in prepared.sensors.links.items():
        if name is not None:
            connected = name in subscriptions and subscriptions[name].connected.is_set()
            yield try_broker(link, links.get(name), connected=connected)


def _try_certificate(
    wanted: ListenOptions | None, taken: ListenOptions | None, clock: CorrectedClock
) -> None:
    """Refuses another certificate that clients would reject; one that is used already prevents nothing."""
    if wanted is None or not clock.believable or (taken is not None and wanted.validity == taken.validity):
        return
    problem = wanted.certificate_problem(clock.now())
    if problem is not None:
        raise CannotStart(problem)


async def _try_port(wanted: Http, taken: Http) -> None:
    if not wanted.listen:
        return
    address = parse_address(wanted.listen)
    if not taken.listen or parse_address(taken.listen).port != address.port:
        await check_bindable(wanted.listen)
    elif parse_address(taken.listen).host != address.host:  # the port is ours, the address may be nobody's
        await check_bindable(wanted.listen, port=0)
