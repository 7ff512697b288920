from __future__ import annotations

from placed.mqtt.initial_publication import Owed


def test_a_room_is_owed_until_all_its_topics_are_acknowledged() -> None:
    owed = Owed(["rooms"])
    owed.add_room("a")
    owed.settle("rooms")
    assert owed
    owed.turn("a", ["a/state", "a/status"])
    owed.settle("a/state")
    owed.settle("a/state")
    assert owed
    owed.settle("a/status")
    assert not owed


def test_what_was_not_owed_is_not_for_its_turn() -> None:
    owed = Owed([])
    owed.turn("a", ["a/state"])
    assert not owed


def test_of_a_room_that_is_gone_before_its_turn_nothing_is_owed() -> None:
    owed = Owed([])
    owed.add_room("a")
    owed.drop_room("a")
    assert not owed
