from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.board.board import Board
from placed.domain.presence import PresenceState
from placed.domain.privacy import Show
from placed.domain.sensor_traffic import MessageResult
from placed.sensors.routing import Route, routes_of
from placed.sensors.sensor_message_intake import SensorReadings
from placed.sensors.waiting_messages import Received, WaitingMessages
from placed.settings.sensor_settings import SensorSettings
from tests.support.domain_builders import POLICY, FakeClock, at, room, schedule

if TYPE_CHECKING:
    from collections.abc import Mapping


class BoardSetup:
    """A board with two rooms, and sensors."""

    def __init__(self, *tables: Mapping[str, Any]) -> None:
        self.clock = FakeClock(at("9:00"))
        self.board = Board(POLICY, Show.NOTHING, self.clock.now, 1)
        self.board.enroll("contoso", [room("boardroom", capacity=8), room("library", capacity=8)])
        for room_id in ("boardroom", "library"):
            self.board.learn(room_id, schedule())
        self.readings = SensorReadings(self.board, self.clock.now)
        self.change(*tables)

    def change(self, *tables: Mapping[str, Any]) -> None:
        self.routes = routes_of(SensorSettings(**{"presence": "occupancy", **table}) for table in tables)
        self.readings.change(self.routes)

    @property
    def route(self) -> Route:
        return self.routes[0]

    def hears(self, topic: str, *, retained: bool = False, **message: Any) -> None:
        self.readings.take(self.route, topic, json.dumps(message).encode(), retained=retained)

    def presence(self, room_id: str = "boardroom") -> PresenceState | None:
        statement = self.board.statement(room_id)
        assert statement is not None
        shown = json.loads(statement.document)["presence"]
        return PresenceState(shown["state"]) if shown is not None else None

    @property
    def unused(self) -> dict[tuple[str, str, str], int]:
        return dict(self.readings.counts.unused)


RADAR = {"topic": "z/radar", "room": "boardroom", "kind": "radar", "name": "radar"}


def test_a_message_becomes_the_presence_of_its_room() -> None:
    board_setup = BoardSetup(RADAR)
    assert board_setup.presence() is PresenceState.UNKNOWN
    board_setup.hears("z/radar", occupancy=True)
    assert board_setup.presence() is PresenceState.PRESENT
    assert board_setup.presence("library") is None
    assert board_setup.readings.counts.readings == {"radar": 1}


def test_what_is_no_reading_is_counted_and_logged_once_without_its_payload() -> None:
    board_setup = BoardSetup(RADAR)
    with capture_logs() as logs:
        for _ in range(3):
            board_setup.hears("z/radar", battery="s3cret")
            board_setup.hears("z/radar", occupancy="s3cret")
    assert board_setup.unused == {
        ("sensor.sent_no_reading", "radar", "no_value"): 3,
        ("sensor.sent_no_reading", "radar", "unusable_value"): 3,
    }
    assert [(log["event"], log["reason"]) for log in logs] == [
        ("sensor.sent_no_reading", "no_value"),
        ("sensor.sent_no_reading", "unusable_value"),
    ]
    assert "s3cret" not in str(logs)
    assert board_setup.presence() is PresenceState.UNKNOWN


def test_a_reading_that_the_rules_ignore_is_counted() -> None:
    board_setup = BoardSetup(RADAR | {"at": "time"})
    board_setup.hears("z/radar", occupancy=True, time="2026-10-06T12:00:00Z")
    assert board_setup.unused == {("sensor.reading_was_ignored", "radar", "from_the_future"): 1}


def test_rooms_in_the_topic_have_to_be_on_the_board() -> None:
    board_setup = BoardSetup({"topic": "z/{room}", "name": "pir"})
    board_setup.hears("z/library", occupancy=True)
    board_setup.hears("z/elsewhere", occupancy=True)
    assert board_setup.presence("library") is PresenceState.PRESENT
    assert board_setup.unused == {("sensor.room_is_not_known", "pir", "unknown_room"): 1}


FOUND = {"topic": "z/{room}", "kind": "radar", "name": "found", "stale_after": "10m"}


def listed_after(board_setup: BoardSetup, minutes: float) -> PresenceState | None:
    """The attic is listed after some minutes; returns its presence."""
    board_setup.clock.moment += timedelta(minutes=minutes)
    board_setup.board.enroll("fabrikam", [room("attic", connection="fabrikam", capacity=8)])
    return board_setup.presence("attic")


@pytest.mark.parametrize(("minutes", "presence"), [(9, PresenceState.PRESENT), (10, PresenceState.UNKNOWN)])
def test_a_reading_of_a_room_that_is_listed_later_counts_from_when_it_arrived(
    minutes: float, presence: PresenceState
) -> None:
    board_setup = BoardSetup(FOUND)
    board_setup.hears("z/attic", occupancy=False)
    board_setup.hears("z/attic", occupancy=True)
    assert listed_after(board_setup, minutes) is presence


@pytest.mark.parametrize(
    ("occupancy", "minutes", "presence"),
    [
        (True, 0.5, PresenceState.PRESENT),
        (True, 1, PresenceState.UNKNOWN),
        (False, 0.5, PresenceState.UNKNOWN),
    ],
)
def test_a_retained_reading_of_a_room_that_is_listed_later_is_still_of_unknown_age(
    occupancy: bool,  # noqa: FBT001 - a row of the table
    minutes: float,
    presence: PresenceState,
) -> None:
    board_setup = BoardSetup(FOUND)
    board_setup.hears("z/attic", occupancy=occupancy, retained=True)
    assert listed_after(board_setup, minutes) is presence


def test_a_device_that_is_lost_before_its_room_is_listed_stays_lost() -> None:
    board_setup = BoardSetup(FOUND | {"available": {"topic": "status/{room}"}})
    board_setup.hears("z/attic", occupancy=True)
    board_setup.readings.take_availability(board_setup.route, "status/attic", b"offline")
    assert listed_after(board_setup, 1) is PresenceState.UNKNOWN


def test_of_rooms_that_are_never_listed_only_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placed.sensors.sensor_message_intake.MOST_WITHOUT_ROOM", 3)
    board_setup = BoardSetup(FOUND)
    board_setup.hears("z/attic", occupancy=True)
    for number in range(3):
        board_setup.hears(f"z/cellar-{number}", occupancy=True)
    assert listed_after(board_setup, 1) is None
    board_setup.hears("z/attic", occupancy=True)
    assert board_setup.presence("attic") is PresenceState.PRESENT


@pytest.mark.parametrize("room_id", ["Attic", "a b", "", "x" * 201, "ä"])
def test_a_name_that_no_room_can_have_is_not_kept(room_id: str) -> None:
    board_setup = BoardSetup(FOUND)
    board_setup.hears(f"z/{room_id}", occupancy=True)
    assert board_setup.unused == {("sensor.room_is_not_known", "found", "unknown_room"): 1}
    assert not list(board_setup.board._sensors.rooms)


def test_rooms_that_are_listed_are_kept_while_many_others_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placed.sensors.sensor_message_intake.MOST_WITHOUT_ROOM", 2)
    board_setup = BoardSetup(FOUND)
    board_setup.hears("z/attic", occupancy=True)
    assert listed_after(board_setup, 1) is PresenceState.PRESENT
    for number in range(5):
        board_setup.hears(f"z/cellar-{number}", occupancy=True)
    assert board_setup.presence("attic") is PresenceState.PRESENT


@pytest.mark.parametrize(
    ("table", "topic", "message", "reason"),
    [
        ({"topic": "z/{device}", "rooms": {"a": "library"}}, "z/b", {}, "unknown_device"),
        ({"topic": "z", "device": "id", "rooms": {"a": "library"}}, "z", {"id": "b"}, "unknown_device"),
        ({"topic": "z", "device": "id", "rooms": {"a": "library"}}, "z", {}, "no_device"),
    ],
)
def test_devices_have_to_be_in_the_table(
    table: dict[str, Any], topic: str, message: dict[str, Any], reason: str
) -> None:
    board_setup = BoardSetup(table | {"name": "vs"})
    board_setup.hears(topic, occupancy=True, **message)
    assert board_setup.unused == {("sensor.room_is_not_known", "vs", reason): 1}


def test_a_device_that_is_lost_makes_its_room_unknown_until_it_reports() -> None:
    board_setup = BoardSetup(RADAR | {"available": {"topic": "z/radar/availability"}})
    board_setup.hears("z/radar", occupancy=True)
    board_setup.readings.take_availability(board_setup.route, "z/radar/availability", b"offline")
    assert board_setup.presence() is PresenceState.UNKNOWN
    board_setup.readings.take_availability(board_setup.route, "z/radar/availability", b"online")
    assert board_setup.presence() is PresenceState.PRESENT
    board_setup.hears("z/radar", occupancy="unavailable")
    assert board_setup.presence() is PresenceState.UNKNOWN
    board_setup.hears("z/radar", occupancy=True)
    assert board_setup.presence() is PresenceState.PRESENT


def test_a_retained_reading_does_not_bring_a_lost_device_back() -> None:
    board_setup = BoardSetup(RADAR | {"available": {"topic": "z/radar/availability"}})
    board_setup.readings.take_availability(board_setup.route, "z/radar/availability", b"offline")
    board_setup.hears("z/radar", occupancy=True, retained=True)
    assert board_setup.presence() is PresenceState.UNKNOWN


def test_a_retained_message_of_unknown_age_never_makes_a_room_empty() -> None:
    board_setup = BoardSetup(RADAR)
    board_setup.hears("z/radar", occupancy=False, retained=True)
    assert board_setup.presence() is PresenceState.UNKNOWN
    assert board_setup.unused == {("sensor.reading_was_ignored", "radar", "of_unknown_age"): 1}


def test_retained_messages_after_a_start_or_a_reload_are_no_reason_for_a_warning() -> None:
    board_setup = BoardSetup(RADAR)
    with capture_logs() as logs:
        board_setup.hears("z/radar", occupancy=False, retained=True)
        board_setup.hears("z/radar", occupancy=True)
        board_setup.hears("z/radar", occupancy=False, retained=True)
        board_setup.hears("z/radar", occupancy=False, retained=True)
        board_setup.clock.moment -= timedelta(seconds=1)
        board_setup.hears("z/radar", occupancy=False)
    assert [(log["reason"], log["log_level"]) for log in logs] == [
        ("of_unknown_age", "info"),
        ("out_of_order", "info"),
        ("out_of_order", "warning"),
    ]


def test_devices_by_wildcard_are_sensors_of_their_own() -> None:
    board_setup = BoardSetup({"topic": "z/+/{room}", "kind": "radar", "name": "radar", "hold": "0s"})
    board_setup.hears("z/a/library", occupancy=True)
    board_setup.hears("z/b/library", occupancy=False)
    assert board_setup.presence("library") is PresenceState.PRESENT
    board_setup.hears("z/a/library", occupancy=False)
    assert board_setup.presence("library") is PresenceState.EMPTY


def test_availability_by_room_concerns_all_devices_found_there() -> None:
    table = {"topic": "z/+/{room}", "kind": "radar", "available": {"topic": "gateway/{room}"}}
    board_setup = BoardSetup(table)
    for room_id in ("library", "boardroom"):
        board_setup.hears(f"z/a/{room_id}", occupancy=True)
    board_setup.readings.take_availability(board_setup.route, "gateway/library", b"offline")
    assert board_setup.presence("library") is PresenceState.UNKNOWN
    assert board_setup.presence("boardroom") is PresenceState.PRESENT


def test_other_tables_keep_what_is_known_of_sensors_that_stay() -> None:
    found = {"topic": "z/{room}", "kind": "radar", "name": "found"}
    board_setup = BoardSetup(found, RADAR)
    board_setup.hears("z/library", occupancy=True)
    board_setup.change(found | {"hold": "5m"})
    assert board_setup.presence("library") is PresenceState.PRESENT
    assert board_setup.presence("boardroom") is None
    board_setup.change()
    assert board_setup.presence("library") is None


def test_silence_makes_a_room_unknown_and_never_empty() -> None:
    board_setup = BoardSetup(RADAR | {"stale_after": "10m"})
    board_setup.hears("z/radar", occupancy=False)
    assert board_setup.presence() is PresenceState.EMPTY
    board_setup.clock.moment += timedelta(minutes=10)
    board_setup.board.judge_due()
    assert board_setup.presence() is PresenceState.UNKNOWN


# --- messages that wait ---


def message(topic: str, payload: bytes = b"") -> Received:
    return Received(topic, payload, retained=False)


def test_the_newest_of_each_topic_wait_in_order() -> None:
    queue = WaitingMessages(newest=2)
    dropped = [
        queue.put(message(topic, payload))
        for topic, payload in ((t, p) for p in (b"1", b"2", b"3") for t in "ab")
    ]
    assert [one.payload for some in dropped for one in some] == [b"1", b"1"]
    assert [(one.topic, one.payload) for one in queue.take()] == [("a", b"2"), ("a", b"3")]
    assert [one.topic for one in queue.take()] == ["b", "b"]
    assert not queue
    assert queue.dropped == 2


def test_many_topics_take_a_bounded_amount_of_memory() -> None:
    queue = WaitingMessages(most_bytes=10_000)
    for number in range(1000):
        queue.put(message(f"t/{number:04}", b"x" * 294))
    taken: list[Received] = []
    while queue:
        taken += queue.take()
    assert [one.topic for one in taken] == [f"t/{number:04}" for number in range(980, 1000)]
    assert queue.dropped == 980


def test_messages_are_counted_by_what_became_of_them_though_tables_come_and_go() -> None:
    table = RADAR | {"at": "time", "available": {"topic": "z/radar/state"}}
    board_setup = BoardSetup(table)
    board_setup.hears("z/radar", occupancy=True, time="2026-10-06T09:00:00Z")
    board_setup.hears("z/radar", occupancy="unavailable")
    board_setup.hears("z/radar", battery=100)
    board_setup.hears("z/radar", occupancy=True, time="2026-10-06T12:00:00Z")
    for word in (b"offline", b"\xff"):
        board_setup.readings.take_availability(board_setup.route, "z/radar/state", word)
    board_setup.change({"topic": "z/{room}", "name": "pir"})
    board_setup.hears("z/elsewhere", occupancy=True)
    assert board_setup.readings.counts.results == {
        MessageResult.TAKEN: 3,
        MessageResult.UNREADABLE: 2,
        MessageResult.IGNORED: 1,
        MessageResult.NO_ROOM: 1,
    }
