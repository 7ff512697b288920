"""The rules of presence: from readings and a moment to present, empty or unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.model import Status
from placed.domain.presence import (
    DEFAULT_HOLD,
    IgnoredReading,
    Presence,
    PresenceState,
    Reading,
    Sensor,
    SensorKind,
    SensorState,
    Use,
    room_presence,
    sensor_presence,
    shown_count,
    stale_after,
    use_of,
    why_ignored,
    with_reading,
)

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRESENT, EMPTY, UNKNOWN = PresenceState.PRESENT, PresenceState.EMPTY, PresenceState.UNKNOWN
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
STALE_AFTER = timedelta(minutes=30)


def sensor(kind: SensorKind, name: str = "one", zone: str = "", hold: timedelta | None = None) -> Sensor:
    return Sensor(name, kind, DEFAULT_HOLD[kind] if hold is None else hold, STALE_AFTER, zone)


def state_after(one: Sensor, *readings: tuple[float, bool]) -> SensorState:
    """The state of a sensor after readings at minutes after nine."""
    state = SensorState()
    for minutes, present in readings:
        at = NINE + minutes * MINUTE
        reading = Reading(present, at)
        assert why_ignored(state, reading, at) is None
        state = with_reading(one, state, reading, at)
    return state


def word(one: Sensor, state: SensorState, minutes: float) -> PresenceState:
    return sensor_presence(one, state, NINE + minutes * MINUTE)[0]


PIR, RADAR = sensor(SensorKind.PIR), sensor(SensorKind.RADAR)


def test_the_true_of_a_pir_holds_for_hold_and_is_then_unknown() -> None:
    state = state_after(PIR, (0, True))
    assert sensor_presence(PIR, state, NINE) == (PRESENT, NINE + 10 * MINUTE)
    assert sensor_presence(PIR, state, NINE + 10 * MINUTE - SECOND)[0] is PRESENT
    assert sensor_presence(PIR, state, NINE + 10 * MINUTE) == (UNKNOWN, None)


def test_a_pir_that_reports_false_is_empty_once_its_last_true_is_older_than_hold() -> None:
    state = state_after(PIR, (0, True), (1, False))
    assert [word(PIR, state, minutes) for minutes in (1, 9.9, 10, 30.9, 31)] == [
        PRESENT,
        PRESENT,
        EMPTY,
        EMPTY,
        UNKNOWN,
    ]


def test_a_level_sensor_holds_its_true_until_it_is_stale() -> None:
    state = state_after(RADAR, (0, True))
    assert [word(RADAR, state, minutes) for minutes in (0, 29.9, 30)] == [PRESENT, PRESENT, UNKNOWN]


def test_a_level_sensor_is_empty_when_it_was_false_for_hold() -> None:
    state = state_after(RADAR, (0, True), (20, False))
    assert [word(RADAR, state, minutes) for minutes in (20, 20.9, 21, 49.9, 50)] == [
        PRESENT,
        PRESENT,
        EMPTY,
        EMPTY,
        UNKNOWN,
    ]


def test_a_short_false_does_not_make_a_room_empty() -> None:
    state = state_after(RADAR, (0, True), (5, False), (5.5, True))
    assert word(RADAR, state, 10) is PRESENT


def test_a_first_false_is_empty_at_once() -> None:
    assert word(RADAR, state_after(RADAR, (0, False)), 0) is EMPTY


def test_a_false_after_a_stale_true_does_not_hold_the_old_true() -> None:
    assert word(RADAR, state_after(RADAR, (0, True), (45, False)), 45) is EMPTY


def test_a_sensor_without_readings_or_unavailable_is_unknown() -> None:
    assert word(RADAR, SensorState(), 0) is UNKNOWN
    for present in (True, False):
        state = state_after(RADAR, (0, present))
        lost = SensorState(available=False, last=state.last, present_at=state.present_at)
        assert word(RADAR, lost, 0) is UNKNOWN


def test_a_retained_true_of_unknown_age_holds_for_hold_and_is_then_unknown() -> None:
    reading = Reading(present=True, at=NINE, of_unknown_age=True)
    state = with_reading(RADAR, SensorState(), reading, NINE)
    assert [word(RADAR, state, minutes) for minutes in (0, 0.9, 1)] == [PRESENT, PRESENT, UNKNOWN]


def test_a_retained_false_of_unknown_age_is_no_reading() -> None:
    reading = Reading(present=False, at=NINE, of_unknown_age=True)
    assert why_ignored(SensorState(), reading, NINE) is IgnoredReading.OF_UNKNOWN_AGE


def test_a_retained_message_does_not_replace_a_reading() -> None:
    reading = Reading(present=True, at=NINE + MINUTE, of_unknown_age=True)
    state = state_after(RADAR, (0, False))
    assert why_ignored(state, reading, NINE + MINUTE) is IgnoredReading.OUT_OF_ORDER


def test_a_reading_replaces_a_retained_message_that_arrived_just_before() -> None:
    state = with_reading(RADAR, SensorState(), Reading(present=True, at=NINE, of_unknown_age=True), NINE)
    assert why_ignored(state, Reading(present=True, at=NINE - SECOND), NINE) is None


def test_readings_out_of_order_or_from_the_future_are_ignored() -> None:
    state = state_after(RADAR, (5, True))
    moment = NINE + 6 * MINUTE
    assert why_ignored(state, Reading(present=False, at=NINE), moment) is IgnoredReading.OUT_OF_ORDER
    future = Reading(present=False, at=moment + 2 * MINUTE + SECOND)
    assert why_ignored(state, future, moment) is IgnoredReading.FROM_THE_FUTURE


def test_a_reading_from_the_near_future_counts_from_now() -> None:
    state = with_reading(RADAR, SensorState(), Reading(present=True, at=NINE + MINUTE), NINE)
    assert state.last == Reading(present=True, at=NINE)


def test_stale_after_is_three_times_the_longest_interval_where_it_is_not_set() -> None:
    one = Sensor("one", SensorKind.RADAR, MINUTE)
    assert stale_after(one, state_after(one, (0, True), (1, True))) == timedelta(minutes=10)
    assert stale_after(one, state_after(one, (0, True), (7, True), (9, True))) == timedelta(minutes=21)
    assert stale_after(one, state_after(one, (0, True), (3000, True))) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((PRESENT, EMPTY), PRESENT),
        ((PRESENT, UNKNOWN), PRESENT),
        ((EMPTY, EMPTY), EMPTY),
        ((EMPTY, UNKNOWN), UNKNOWN),
        ((UNKNOWN, UNKNOWN), UNKNOWN),
    ],
)
def test_a_room_is_present_by_one_sensor_and_empty_only_by_all(
    words: tuple[PresenceState, ...], expected: PresenceState
) -> None:
    sensors = [
        (RADAR, SensorState() if one is UNKNOWN else state_after(RADAR, (0, one is PRESENT))) for one in words
    ]
    presence = room_presence(sensors, NINE, None).presence
    assert presence.state is expected
    assert (presence.valid_until is None) == (expected is UNKNOWN)


def test_since_stays_while_the_state_is_the_same() -> None:
    before = Presence(PRESENT, NINE - 5 * MINUTE, NINE + MINUTE)
    sensors = [(RADAR, state_after(RADAR, (0, True)))]
    assert room_presence(sensors, NINE, before).presence.since == NINE - 5 * MINUTE
    assert room_presence([(RADAR, SensorState())], NINE, before).presence.since == NINE


def _counted(name: str, zone: str, count: int | None) -> tuple[Sensor, SensorState]:
    one = sensor(SensorKind.COUNTER, name, zone)
    return one, with_reading(one, SensorState(), Reading(bool(count), NINE, count), NINE)


def test_the_count_is_the_largest_of_a_zone_and_the_sum_of_zones() -> None:
    sensors = [_counted("a", "", 3), _counted("b", "", 2)]
    assert room_presence(sensors, NINE, None).presence.count == 3
    sensors = [_counted("a", "west", 3), _counted("b", "west", 2), _counted("c", "east", 4)]
    assert room_presence(sensors, NINE, None).presence.count == 7


def test_no_count_where_a_zone_is_not_counted_now() -> None:
    lost = (sensor(SensorKind.COUNTER, "c", "east"), SensorState())
    assert room_presence([_counted("a", "west", 3), lost], NINE, None).presence.count is None


def test_a_shown_count_is_at_most_the_seats() -> None:
    assert [shown_count(9, 6), shown_count(3, 6), shown_count(9, None), shown_count(None, 6)] == [
        6,
        3,
        9,
        None,
    ]


@pytest.mark.parametrize(
    ("status", "presence", "use"),
    [
        (Status.BUSY, PRESENT, Use.USED),
        (Status.PENDING, PRESENT, Use.USED),
        (Status.BUSY, EMPTY, Use.BOOKED_EMPTY),
        (Status.BUSY, UNKNOWN, None),
        (Status.FREE, PRESENT, Use.UNBOOKED),
        (Status.STARTING, PRESENT, Use.UNBOOKED),
        (Status.FREE, EMPTY, Use.EMPTY),
        (Status.STARTING, EMPTY, Use.EMPTY),
        (Status.FREE, UNKNOWN, None),
        (Status.UNKNOWN, PRESENT, None),
        (Status.UNKNOWN, EMPTY, None),
        (Status.BUSY, None, None),
    ],
)
def test_use(status: Status, presence: PresenceState | None, use: Use | None) -> None:
    assert use_of(status, presence) is use


# --- drawn readings ---

kinds = st.sampled_from(SensorKind)
histories = st.lists(
    st.tuples(
        st.integers(0, 3000),  # seconds until it arrives
        st.booleans(),
        st.integers(-600, 300),  # seconds by which it was measured after it arrived
        st.booleans(),  # whether its age is unknown
    ),
    max_size=12,
)


def _played(
    one: Sensor, history: list[tuple[int, bool, int, bool]]
) -> tuple[SensorState, datetime, list[Reading]]:
    state, moment, used = SensorState(), NINE, []
    for seconds, present, offset, unknown_age in history:
        moment += timedelta(seconds=seconds)
        at = moment if unknown_age else moment + timedelta(seconds=offset)
        reading = Reading(present, at, of_unknown_age=unknown_age)
        if why_ignored(state, reading, moment) is None:
            state = with_reading(one, state, reading, moment)
            used.append(reading)
    return state, moment, used


@given(kinds, histories, st.integers(0, 100_000))
def test_empty_needs_a_false_that_is_not_stale(
    kind: SensorKind, history: list[tuple[int, bool, int, bool]], later: int
) -> None:
    one = sensor(kind)
    state, moment, used = _played(one, history)
    moment += timedelta(seconds=later)
    if sensor_presence(one, state, moment)[0] is EMPTY:
        last = used[-1]
        assert not last.present
        assert not last.of_unknown_age
        assert moment < last.at + STALE_AFTER
        trues = [reading.at for reading in used if reading.present]
        assert all(moment >= min(at, moment) + min(one.hold, STALE_AFTER) for at in trues)


@given(kinds, histories)
def test_a_state_holds_until_the_edge_that_it_names(
    kind: SensorKind, history: list[tuple[int, bool, int, bool]]
) -> None:
    one = sensor(kind)
    state, moment, _ = _played(one, history)
    for _ in range(5):
        now, until = sensor_presence(one, state, moment)
        if until is None:
            assert now is UNKNOWN
            assert sensor_presence(one, state, moment + timedelta(days=9)) == (UNKNOWN, None)
            break
        assert until > moment
        assert sensor_presence(one, state, until - timedelta(microseconds=1))[0] is now
        assert sensor_presence(one, state, until)[0] is not now
        moment = until


@given(kinds, histories, st.integers(0, 100_000))
def test_silence_never_changes_anything_to_present(
    kind: SensorKind, history: list[tuple[int, bool, int, bool]], later: int
) -> None:
    one = sensor(kind)
    state, moment, _ = _played(one, history)
    before = sensor_presence(one, state, moment)[0]
    after = sensor_presence(one, state, moment + timedelta(seconds=later))[0]
    assert after is not PRESENT or before is PRESENT
