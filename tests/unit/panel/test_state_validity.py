"""What a truthful panel shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from placed.domain.model import Status
from placed.panel.state_validity import Heard, Moment, Panel, Place, Why

TEN = datetime(2026, 1, 8, 10, tzinfo=UTC)


def at(seconds: float = 0) -> Moment:
    """So many seconds after ten."""
    return Moment(TEN + timedelta(seconds=seconds), 5000.0 + seconds)


def time(seconds: float) -> str:
    return f"{TEN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}Z"


def state(room: str = "boardroom", *, expiry: int | None = None, retain: bool = True, **more: Any) -> Heard:
    """A room's state; by default free, and valid for a quarter of an hour."""
    document: dict[str, Any] = {
        "schema": 1,
        "room": room,
        "name": room.title(),
        "status": "free",
        "occupied": False,
        "stale": False,
        "conflicts": 0,
        "current": None,
        "next": None,
        "busy_until": None,
        "free_until": time(3600),
        "changed_at": time(-60),
        "observed_at": time(-10),
        "valid_until": time(900),
        "reason": None,
        "connection": "contoso",
        "epoch": 7,
        "seq": 100,
    }
    payload = json.dumps(document | more).encode()
    return Heard(f"placed/rooms/{room}/state", payload, retain=retain, expiry=expiry)


def bridge(word: str = "online", expiry: int | None = 90) -> Heard:
    return Heard("placed/bridge/state", json.dumps({"state": word, "epoch": 7}).encode(), expiry=expiry)


def availability(word: str, room: str = "boardroom") -> Heard:
    return Heard(f"placed/rooms/{room}/availability", word.encode())


def index(*rooms: str) -> Heard:
    listed = [{"id": r, "name": r.title(), "connection": "contoso", "building": "HQ"} for r in rooms]
    return Heard("placed/rooms", json.dumps({"schema": 1, "epoch": 7, "rooms": listed}).encode())


def panel(*heard: Heard, rooms: tuple[str, ...] = ()) -> Panel:
    """One that is connected, and heard all this at ten."""
    made = Panel("placed", rooms)
    for message in (bridge(), *heard):
        made.hear(message, at())
    made.connect()
    return made


def why(one: Panel, moment: Moment, room: str = "boardroom") -> Why | None:
    shown = one.shows(room, moment)
    assert (shown.why is None) is (shown.status is not Status.UNKNOWN)
    return shown.why


def test_it_shows_what_the_daemon_publishes() -> None:
    busy = state(status="busy", busy_until=time(1800), free_until=None, next={"start": time(7200)})
    shown = panel(busy).shows("boardroom", at(1))
    assert (shown.status, shown.until, shown.why) == (Status.BUSY, TEN + timedelta(minutes=30), None)
    assert shown.next_start == TEN + timedelta(hours=2)
    assert shown.place == Place("Boardroom")


def test_it_never_shows_free_once_valid_until_has_passed() -> None:
    one = panel(state(valid_until=time(60)))
    assert why(one, at(59.999)) is None
    assert why(one, at(60)) is Why.OUTDATED


def test_it_drops_a_message_that_has_expired_though_its_own_clock_is_late() -> None:
    one = panel(state(valid_until=time(600), expiry=30))
    late = Moment(TEN - timedelta(hours=1), at(31).steady)
    assert why(one, at(29)) is None
    assert why(one, late) is Why.EXPIRED


def test_nothing_is_shown_while_the_daemon_is_offline() -> None:
    one = panel(state())
    one.hear(bridge("offline", None), at(5))
    assert why(one, at(5)) is Why.BRIDGE_OFFLINE
    one.hear(bridge(), at(6))
    assert why(one, at(6)) is None


def test_nothing_is_shown_after_90_seconds_without_a_bridge_state() -> None:
    one = panel(state())
    assert why(one, at(89)) is None
    assert why(one, at(90)) is Why.BRIDGE_SILENT
    one.hear(bridge(), at(91))
    assert why(one, at(180)) is None


@pytest.mark.parametrize("left", [90, 20, None])
def test_a_retained_online_is_valid_for_its_remaining_expiry(left: int | None) -> None:
    one = panel(state())
    one.hear(bridge(expiry=left), at())
    holds = 90 if left is None else left
    assert why(one, at(holds - 1)) is None
    assert why(one, at(holds)) is Why.BRIDGE_SILENT


def test_nothing_is_shown_before_the_first_bridge_state() -> None:
    one = Panel("placed")
    one.hear(state(), at())
    assert why(one, at()) is Why.DISCONNECTED
    one.connect()
    assert why(one, at()) is Why.BRIDGE_SILENT
    one.hear(Heard("placed/bridge/state", b"\xff no json"), at())
    assert why(one, at()) is Why.BRIDGE_SILENT


def test_nothing_is_shown_while_disconnected_and_a_reconnect_starts_again() -> None:
    one = panel(state(), index("boardroom"))
    one.disconnect()
    assert why(one, at(1)) is Why.DISCONNECTED
    assert one.rooms == ["boardroom"]
    one.hear(bridge(), at(2))
    one.hear(index("boardroom"), at(2))
    one.connect()
    assert why(one, at(2)) is Why.NO_STATE  # the broker has lost it, or it was cleared
    one.hear(state(seq=101), at(3))
    assert why(one, at(3)) is None


def test_an_older_state_does_not_take_the_place_of_a_newer_one() -> None:
    one = panel(state(status="busy", busy_until=time(600), free_until=None, epoch=8, seq=3))
    for older in (state(epoch=8, seq=2), state(epoch=7, seq=900)):
        one.hear(older, at(1))
        assert one.shows("boardroom", at(1)).status is Status.BUSY
    one.hear(state(epoch=8, seq=4), at(2))
    assert one.shows("boardroom", at(2)).status is Status.FREE
    one.hear(state(epoch=9, seq=1, status="starting"), at(3))
    assert one.shows("boardroom", at(3)).status is Status.STARTING


def test_the_order_is_kept_across_a_reconnection() -> None:
    one = panel(state(epoch=8, seq=3))
    one.disconnect()
    one.hear(bridge(), at(1))
    one.hear(state(epoch=8, seq=2), at(1))
    one.connect()
    assert why(one, at(1)) is Why.NO_STATE


def test_a_repeated_state_is_valid_for_its_own_message_expiry() -> None:
    one = panel(state(expiry=30))
    one.hear(state(expiry=30), at(20))
    assert why(one, at(45)) is None
    assert why(one, at(50)) is Why.EXPIRED


def test_an_unknown_room_carries_a_reason() -> None:
    one = panel(state(status="unknown", occupied=None, free_until=None, reason="forbidden"))
    shown = one.shows("boardroom", at(1))
    assert (shown.why, shown.reason) == (Why.REPORTED, "forbidden")


def test_an_unavailable_room_is_unknown_despite_an_old_state() -> None:
    one = panel(state(), availability("offline"))
    assert why(one, at()) is Why.UNAVAILABLE
    one.hear(availability("online"), at(1))
    assert why(one, at(1)) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"ON",
        b"\xff\xfe",
        b"[" * 100_000,
        state(schema=2).payload,
        state(status="vacant").payload,
        state(room="library").payload,
        state(valid_until="tomorrow").payload,
        state(valid_until="2026-01-08T11:00:00").payload,  # of which time zone?
        state(valid_until=None).payload,
    ],
)
def test_what_is_not_understood_is_not_shown(payload: bytes) -> None:
    one = panel(state())
    one.hear(Heard("placed/rooms/boardroom/state", payload), at(1))
    assert why(one, at(1)) is Why.UNREADABLE
    one.hear(state(seq=101), at(2))
    assert why(one, at(2)) is None


def test_a_room_that_was_cleared_is_gone() -> None:
    one = panel(state(), index("boardroom", "library"), state("library"))
    one.hear(Heard("placed/rooms/boardroom/state", b""), at(1))
    assert why(one, at(1)) is Why.NO_STATE
    one.hear(index("library"), at(1))
    assert one.rooms == ["library"]
    one.hear(state(epoch=1, seq=1), at(2))  # a new one of the same id
    assert one.rooms == ["boardroom", "library"]
    assert why(one, at(2)) is None


def test_it_shows_all_rooms_of_the_index_and_all_published_ones() -> None:
    one = panel(index("cedar", "atrium"), state())
    assert one.rooms == ["atrium", "boardroom", "cedar"]
    assert one.shows("atrium", at()).place == Place("Atrium", "HQ")
    assert why(one, at(), "atrium") is Why.NO_STATE


def test_it_shows_and_subscribes_only_to_the_given_rooms() -> None:
    one = panel(index("cedar", "atrium"), state(), rooms=("cedar", "nowhere"))
    assert one.rooms == ["cedar", "nowhere"]
    assert not one.complete
    assert one.topics == (
        "placed/bridge/state",
        "placed/rooms",
        "placed/rooms/cedar/availability",
        "placed/rooms/cedar/state",
        "placed/rooms/nowhere/availability",
        "placed/rooms/nowhere/state",
    )
    assert Panel("hq/placed").topics[2:] == ("hq/placed/rooms/+/availability", "hq/placed/rooms/+/state")


def test_it_is_complete_when_something_is_held_of_every_room() -> None:
    one = panel(index("boardroom", "library"), state())
    assert not one.complete
    one.hear(state("library"), at())
    assert one.complete


def test_it_returns_the_time_of_the_next_change() -> None:
    one = panel(state(valid_until=time(600)), state("library", valid_until=time(700), expiry=50))
    assert one.holds(at()) == 50
    assert one.holds(at(55)) == 35  # the daemon's word is 90 seconds old
    assert one.holds(at(95)) == 505
    assert one.holds(at(800)) is None


@pytest.mark.parametrize(
    ("message", "offset"),
    [
        (state(valid_until=time(900), expiry=900), 0),
        (state(valid_until=time(900), expiry=600), 300),  # the clock here is behind
        (state(valid_until=time(900), expiry=1200), -300),  # ahead
        (state(observed_at=time(120)), 120),
        (state(valid_until=time(-40), observed_at=time(-900), retain=False), -40),
        (state(valid_until=time(-40), observed_at=time(-900), retain=True), 0),  # an old one that was kept
    ],
)
def test_messages_reveal_a_wrong_local_clock(message: Heard, offset: float) -> None:
    assert panel(message).clock_offset == timedelta(seconds=offset)
