"""Since when a room is used or empty survives a restart, if its sensor confirms that in time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import ShowPresence
from placed.domain.presence import PresenceState, Reading, Sensor, SensorKind
from placed.store.records import Confirmed, Key, Kind, decoded
from tests.support.domain_builders import at

if TYPE_CHECKING:
    from datetime import datetime

    from tests.component.store.daemon_run import DaemonRun

RADAR = Sensor("radar", SensorKind.RADAR, timedelta(minutes=1), timedelta(minutes=30))
MINUTE = timedelta(minutes=1)


def sense(run: DaemonRun, *, present: bool, sensor: Sensor = RADAR) -> None:
    run.board.sense("boardroom", sensor, Reading(present=present, at=run.clock.now()))


def presence(run: DaemonRun) -> tuple[PresenceState, datetime]:
    statement = run.board.statement("boardroom")
    assert statement is not None
    assert statement.presence is not None
    return statement.presence.state, statement.presence.since


async def stored(run: DaemonRun, *, present: bool, sensor: Sensor = RADAR) -> None:
    """The room is used, or empty, from 9:00 to 9:05, and the daemon ends."""
    run.board.set_sensors({"boardroom": [sensor]})
    run.read("boardroom")
    sense(run, present=present, sensor=sensor)
    run.pass_(minutes=5)
    sense(run, present=present, sensor=sensor)
    await run.store_writer.write_all()


def later(run: DaemonRun, minutes: float, sensor: Sensor = RADAR) -> DaemonRun:
    after = run.later(minutes=minutes)
    after.board.set_sensors({"boardroom": [sensor]})
    after.begin()
    return after


@pytest.mark.parametrize("present", [True, False])
async def test_a_restart_alone_makes_no_room_used_or_empty(
    daemon_run: DaemonRun,
    present: bool,  # noqa: FBT001 - a row of the table
) -> None:
    await stored(daemon_run, present=present)
    assert presence(later(daemon_run, minutes=0.1))[0] is PresenceState.UNKNOWN


@pytest.mark.parametrize("present", [True, False])
async def test_since_when_survives_if_the_sensor_confirms_it(
    daemon_run: DaemonRun,
    present: bool,  # noqa: FBT001 - a row of the table
) -> None:
    await stored(daemon_run, present=present)
    after = later(daemon_run, minutes=2)
    after.pass_(minutes=1)
    sense(after, present=present)
    state = PresenceState.PRESENT if present else PresenceState.EMPTY
    assert presence(after) == (state, at("9:00"))
    after.pass_(minutes=20)
    sense(after, present=present)
    assert presence(after) == (state, at("9:00"))


async def test_since_when_is_new_if_the_sensor_reports_otherwise(daemon_run: DaemonRun) -> None:
    await stored(daemon_run, present=True)
    after = later(daemon_run, minutes=2)
    sense(after, present=False)
    assert presence(after) == (PresenceState.EMPTY, at("9:07"))
    after.pass_(minutes=1)
    sense(after, present=True)
    assert presence(after) == (PresenceState.PRESENT, at("9:08"))


async def test_since_when_is_new_after_so_long_that_somebody_may_have_come_and_gone(
    daemon_run: DaemonRun,
) -> None:
    await stored(daemon_run, present=False)
    after = later(daemon_run, minutes=9)
    after.pass_(minutes=1)
    sense(after, present=False)
    assert presence(after) == (PresenceState.EMPTY, at("9:15"))


async def test_since_when_is_new_once_the_last_reading_was_stale(daemon_run: DaemonRun) -> None:
    pir = Sensor("pir", SensorKind.PIR, hold=2 * MINUTE, stale_after=30 * MINUTE)
    await stored(daemon_run, present=True, sensor=pir)
    after = later(daemon_run, minutes=2, sensor=pir)
    sense(after, present=True, sensor=pir)
    assert presence(after) == (PresenceState.PRESENT, at("9:07"))


async def test_since_when_survives_two_restarts_before_the_sensor_reports(daemon_run: DaemonRun) -> None:
    await stored(daemon_run, present=True)
    between = later(daemon_run, minutes=4)
    await between.store_writer.write_all()
    after = later(between, minutes=4)
    sense(after, present=True)
    assert presence(after) == (PresenceState.PRESENT, at("9:00"))
    third = later(between, minutes=4)
    sense(third, present=True)
    assert presence(third) == (PresenceState.PRESENT, at("9:17"))


@pytest.mark.parametrize("show", [ShowPresence.NOTHING, ShowPresence.STATE, ShowPresence.COUNT])
async def test_only_what_may_be_shown_is_stored_and_never_a_count(
    daemon_run: DaemonRun, show: ShowPresence
) -> None:
    daemon_run.board.change_show_presence(show)
    daemon_run.board.set_sensors({"boardroom": [RADAR]})
    daemon_run.read("boardroom")
    reading = Reading(present=True, at=daemon_run.clock.now(), count=3)
    daemon_run.board.sense("boardroom", RADAR, reading)
    await daemon_run.store_writer.write_all()
    assert kept(daemon_run) == (None if show is ShowPresence.NOTHING else ("present", at("9:00"), at("9:30")))


async def test_what_may_not_be_shown_any_more_is_removed(daemon_run: DaemonRun) -> None:
    await stored(daemon_run, present=True)
    assert kept(daemon_run) is not None
    daemon_run.board.change_show_presence(ShowPresence.NOTHING)
    await daemon_run.store_writer.write_all()
    assert kept(daemon_run) is None


def kept(run: DaemonRun) -> tuple[str, datetime, datetime] | None:
    """What the journal holds of the presence of the boardroom."""
    confirmed = decoded(run.journal.read(Key(Kind.CONFIRMED, "contoso")), Confirmed)
    assert confirmed is not None
    (again,) = confirmed.rooms.values()
    if again.presence is None:
        return None
    return again.presence.state, again.presence.since, again.presence.valid_until
