"""Runs all checks: the connections and the broker concurrently, the checks of a connection in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from placed.doctor.broker_checks import check_broker
from placed.doctor.command_checks import check_commands
from placed.doctor.connection_checks import ConnectionExamination
from placed.doctor.endpoint_checks import look_at_endpoint
from placed.doctor.local_file_checks import (
    look_at_own_files,
    look_at_settings,
    look_at_state,
    look_at_time_zones,
    remembered,
)
from placed.doctor.messages_of_the_daemon import expected_messages
from placed.doctor.sensor_checks import check_sensors
from placed.doctor.sensor_findings import judge_rooms
from placed.domain.model import Room
from placed.driver import Verdict
from placed.mqtt.topics import Topics
from placed.polling.room_ids import RoomIds

# If no room is known, the topics of this one are tried instead.
_SENSOR_WAIT = timedelta(minutes=1)
_SOME_ROOM = Room("placed-doctor", "", "", "", "", ZoneInfo("UTC"))

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
    from datetime import datetime
    from pathlib import Path

    from placed.doctor.report import NamedFinding
    from placed.domain.problem import Problem
    from placed.driver import Finding, Surroundings
    from placed.settings.loader import Configuration


async def examine(  # noqa: PLR0913 - the options of the command
    configuration: Configuration,
    surroundings: Surroundings,
    state_directory: Path,
    *,
    only: str | None = None,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
    sensor_wait: timedelta = _SENSOR_WAIT,
    sensor_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> AsyncIterator[NamedFinding]:
    """Runs all checks, and yields each finding as soon as it is known; `Chart.of` puts them in order.

    Args:
        configuration: a valid one.
        surroundings: what drivers receive.
        state_directory: of the daemon. It is only read.
        only: check this connection and nothing else.
        progress: is called with (connection, rooms answered, rooms) while calendars are read.
        sensor_wait: for a message of each presence sensor.
        sensor_progress: is called with (sensors whose message is read, sensors).
    """
    settings = configuration.settings
    found: asyncio.Queue[NamedFinding | None] = asyncio.Queue()
    noted = remembered(state_directory)
    book = RoomIds(settings.rooms, noted.room_ids, noted.objects)
    book.keep(connection.name for connection in settings.connections)
    book.share_out(settings.connections)
    examinations = [
        ConnectionExamination(
            configuration=configuration,
            place=place,
            surroundings=surroundings,
            book=book,
            noted=noted,
            report=partial(_put, found, connection.name),
            progress=partial(progress, connection.name),
            listed=asyncio.get_running_loop().create_future(),
        )
        for place, connection in enumerate(settings.connections)
        if only in (None, connection.name)
    ]
    tasks: list[Callable[[], Coroutine[None, None, None]]] = [
        examination.examine for examination in examinations
    ]
    if only is None:
        listed = [examination.listed for examination in examinations]
        tasks.append(partial(_broker, configuration, surroundings, listed, partial(_put, found, None)))
        trial = partial(check_sensors, configuration, surroundings.now, sensor_wait, progress=sensor_progress)
        tasks.append(partial(_sensors, configuration, listed, trial, partial(_put, found, None)))
    yield None, look_at_settings(configuration)
    if only is None:
        for finding in await _machine(configuration, state_directory, surroundings.now()):
            yield None, finding
    trying = asyncio.create_task(_side_by_side(tasks, found))
    try:
        while (named := await found.get()) is not None:
            yield named
        await trying
    finally:
        trying.cancel()
        await asyncio.wait([trying])


def _put(found: asyncio.Queue[NamedFinding | None], name: str | None, finding: Finding) -> None:
    found.put_nowait((name, finding))


async def _side_by_side(
    tasks: Sequence[Callable[[], Coroutine[None, None, None]]], found: asyncio.Queue[NamedFinding | None]
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(task())
    finally:
        found.put_nowait(None)


async def _machine(configuration: Configuration, state_directory: Path, now: datetime) -> list[Finding]:
    settings = configuration.settings
    return [
        look_at_state(state_directory),
        look_at_time_zones(settings, now),
        *look_at_own_files(settings),
        *await look_at_endpoint(configuration, now),
    ]


async def _broker(
    configuration: Configuration,
    surroundings: Surroundings,
    listed: Sequence[asyncio.Future[tuple[Room, ...]]],
    report: Callable[[Finding], None],
) -> None:
    """Checks the broker, with the topics of all rooms as soon as they are listed."""
    settings = configuration.settings
    findings: Sequence[Finding]
    if settings.mqtt is None:
        findings = await check_broker(None)
    else:
        rooms = [room for future in listed for room in await future] or [_SOME_ROOM]
        messages = expected_messages(settings, rooms, version=surroundings.version, now=surroundings.now())
        topics = Topics.of(settings.mqtt, settings.home_assistant)
        findings = await check_broker(settings.mqtt, topics=topics, messages=list(messages))
        acts = any(connection.writes or connection.check_in for connection in settings.connections)
        if acts and all(finding.verdict is Verdict.GOOD for finding in findings):
            findings = [*findings, await check_commands(settings.mqtt)]
    for finding in findings:
        (problem,) = configuration.located([finding.problem])
        report(replace(finding, problem=problem))


async def _sensors(
    configuration: Configuration,
    listed: Sequence[asyncio.Future[tuple[Room, ...]]],
    trial: Callable[[], Coroutine[None, None, Sequence[Finding]]],
    report: Callable[[Finding], None],
) -> None:
    """Waits for a message of each sensor; compares their rooms with those that are listed, if all are."""
    for finding in await trial():
        (problem,) = configuration.located([finding.problem])
        report(replace(finding, problem=problem))
    connections = [await future for future in listed]
    if all(connections):
        ids = {room.id for rooms in connections for room in rooms}
        for finding in judge_rooms(
            configuration.settings.sensors, ids, partial(_locate_sensor, configuration)
        ):
            report(finding)


def _locate_sensor(configuration: Configuration, problem: Problem, place: int, key: str) -> Problem:
    return configuration.locate(problem, "sensors", place, key)
