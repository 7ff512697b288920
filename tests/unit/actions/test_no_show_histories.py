"""Over drawn histories of a check-in window: nobody who was there, and no gap, is overlooked.

A history is played second by second on the recorders that the daemon uses. Most have one disturbance or none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from placed.actions.no_show import Facts, judged_at, obstacles
from placed.actions.no_show_watch import CheckInWays, Shown, Watch, shown_now
from placed.board.room_sensors import RoomSensors
from placed.domain.model import Occupancy, Status
from placed.domain.presence import Presence, Reading, Sensor, SensorKind
from placed.driver.action_settings import NoShowSettings
from tests.support.domain_builders import DAY, POLICY, at, meeting

AFTER = timedelta(minutes=10)
MEETING = meeting("10:00", "11:00", created_at=DAY - timedelta(days=1))
BEGIN, JUDGED = at("9:50"), judged_at(MEETING, AFTER)
LENGTH = int((JUDGED - BEGIN).total_seconds())
START = int((MEETING.start - BEGIN).total_seconds())
MINUTE = timedelta(minutes=1)
RADAR = Sensor("radar", SensorKind.RADAR, hold=MINUTE, stale_after=5 * MINUTE, check_in=True)
SECOND = timedelta(seconds=1)
FREE = Occupancy(Status.FREE, stale=False, valid_until=MEETING.start, next=MEETING)
BUSY = Occupancy(Status.BUSY, stale=False, valid_until=MEETING.end, current=MEETING)
UNKNOWN = Occupancy(Status.UNKNOWN, stale=True, valid_until=MEETING.end)

KINDS = ("seen", "check-in", "used", "pause", "step", "reload", "unknown", "away", "silent", "link", "old")


class Disturbance(NamedTuple):
    """Something that happens from a second on, for so many seconds."""

    kind: str
    begins: int
    seconds: int

    def is_at(self, second: int) -> bool:
        return self.begins <= second < self.begins + self.seconds


class Room(NamedTuple):
    """How somebody can check in: at a panel, by a sensor, or both."""

    panel: bool
    sensor: bool


def history(room: Room, disturbances: list[Disturbance]) -> Facts:  # noqa: C901 - as much as a room has
    """Plays ten minutes before a meeting and its window; returns what is known then."""
    watch, ways, sensors = Watch(BEGIN, 0.0), CheckInWays(), RoomSensors()
    if room.sensor:
        sensors.set({"boardroom": [RADAR]}, lambda _: False)
    presence: Presence | None = None
    shown: Shown | None = None
    connected, link_since, used_at, checked_in, read_at = False, BEGIN, None, False, None
    shift, moment = timedelta(), BEGIN
    for second in range(LENGTH + 1):
        now = {one.kind for one in disturbances if one.is_at(second)}
        begins = {one.kind for one in disturbances if one.begins == second}
        if "step" in begins:
            shift += timedelta(seconds=3)
        moment = BEGIN + second * SECOND + shift
        if "pause" not in now:
            watch.look(moment, float(second))
        if "reload" in begins:
            watch.begin(moment, float(second))
        if room.panel and connected is ("away" in now):
            (ways.end if connected else ways.begin)("boardroom", "tablet", moment)
            connected = not connected
        if "link" in now:
            link_since = moment
        if "used" in begins:
            used_at = moment
        if "check-in" in begins:
            checked_in = True
        if "old" not in now:
            read_at = moment
        if room.sensor:
            if second % 10 == 0 and "silent" not in now:
                reading = Reading(present="seen" in now, at=moment)
                sensors.take("boardroom", RADAR.name, reading, moment)
            judgement = sensors.judge("boardroom", moment, presence)
            presence = judgement.presence if judgement is not None else None
        by_time = BUSY if moment >= MEETING.start else FREE
        shown = shown_now(shown, UNKNOWN if "unknown" in now else by_time, moment)
    watch.look(moment, float(LENGTH))
    return Facts(
        moment=moment,
        meeting=MEETING,
        others=(),
        checked_in=checked_in,
        watched_since=watch.since,
        current_since=shown.since if shown is not None else None,
        way_since=ways.since("boardroom", moment),
        used_at=used_at,
        read_at=read_at,
        presence=presence,
        sensors=tuple(sensors.of("boardroom").values()),
        may_have_sensors=room.sensor,
        sensors_since=link_since,
        released=0,
    )


def is_released(room: Room, *disturbances: Disturbance) -> bool:
    facts = history(room, list(disturbances))
    return not obstacles(facts, AFTER, NoShowSettings(mode="release"), POLICY)


ROOMS = st.sampled_from([Room(panel=True, sensor=True), Room(True, False), Room(False, True)])  # noqa: FBT003
DISTURBANCES = st.builds(
    Disturbance,
    st.sampled_from(KINDS),
    st.integers(0, LENGTH),
    st.integers(1, 900),
)


def keeps(one: Disturbance, room: Room, silences: list[Disturbance]) -> bool:  # noqa: C901, PLR0911 - a line for each kind
    """Whether a disturbance is a reason to keep the meeting, by the words of the rule.

    A sensor that is silent notices nobody; it is not for long enough to be unknown.
    """
    first, last = one.begins, min(one.begins + one.seconds, LENGTH + 1) - 1
    in_window = last >= START
    begins_in_window = START + 5 < first <= LENGTH
    match one.kind:
        case "seen":  # noticed with a reading, which comes every ten seconds, and held for a minute
            noticed = any(
                second % 10 == 0 and not any(silence.is_at(second) for silence in silences)
                for second in range(first, last + 1)
            )
            return room.sensor and noticed and last >= START
        case "check-in":
            return True
        case "used":
            return START <= first <= LENGTH
        case "pause":
            return in_window and last - first >= 5 and last > START + 5
        case "step":
            return begins_in_window
        case "reload":
            return begins_in_window
        case "unknown":
            return last > START + 5
        case "away":
            return room.panel and not room.sensor and last - first >= 10 and last > START + 5
        case "silent":  # for longer than it may be silent
            return room.sensor and in_window and last - first > 310
        case "link":
            return room.sensor and last > START + 5
        case _:  # "old"
            return last == LENGTH and last - first >= 60


def test_a_quiet_window_is_released() -> None:
    for panel, sensor in ((True, True), (True, False), (False, True)):
        assert is_released(Room(panel, sensor))
    assert not is_released(Room(panel=False, sensor=False))


@pytest.mark.slow  # hypothesis draws hundreds of histories
@given(ROOMS, st.lists(DISTURBANCES, max_size=3))
@example(Room(panel=True, sensor=True), [Disturbance("seen", START + 595, 10)])
@example(Room(panel=False, sensor=True), [Disturbance("silent", START + 100, 400)])
@example(Room(panel=True, sensor=False), [Disturbance("away", START + 100, 12)])
@example(Room(panel=True, sensor=False), [Disturbance("pause", START + 100, 7)])
def test_nothing_is_released_that_somebody_may_have_used(room: Room, disturbances: list[Disturbance]) -> None:
    if is_released(room, *disturbances):
        silences = [one for one in disturbances if one.kind == "silent"]
        assert [one for one in disturbances if keeps(one, room, silences)] == []


@given(ROOMS, st.builds(Disturbance, st.sampled_from(KINDS), st.integers(0, START - 400), st.integers(1, 60)))
def test_what_is_over_long_before_the_meeting_keeps_nothing(room: Room, before: Disturbance) -> None:
    """So that the test above cannot hold because nothing is ever released."""
    assert is_released(room, before) or before.kind in ("check-in", "step")
