"""The messages of a room's presence: the plain topic, and the entity in Home Assistant."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.board.board import Board
from placed.domain.model import ShowPresence
from placed.domain.presence import Reading, Sensor, SensorKind
from placed.domain.privacy import Show
from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.messages import BridgeInfo, Message, room_messages
from placed.mqtt.topics import Topics
from tests.support.domain_builders import POLICY, at, room, schedule

if TYPE_CHECKING:
    from placed.domain.state_document import Statement

TOPIC = "placed/rooms/boardroom/presence"
CONFIG = "homeassistant/binary_sensor/placed/boardroom_presence/config"
RADAR = Sensor("radar", SensorKind.RADAR, timedelta(minutes=1), timedelta(minutes=30))
TOPICS = Topics("placed", discovery="homeassistant")
DISCOVERY = Discovery(TOPICS, BridgeInfo("0.1", timedelta(minutes=15), ("contoso",)), "homeassistant/status")


@pytest.fixture
def board() -> Board:
    board = Board(POLICY, Show.NOTHING, lambda: at("9:00"), epoch=7)
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(read_at="9:00"))
    return board


def stated(board: Board) -> Statement:
    statement = board.statement("boardroom")
    assert statement is not None
    return statement


def plain(board: Board) -> list[Message]:
    """The messages on the plain topic of the presence."""
    return [m for m in room_messages(TOPICS, stated(board), plain=True) if m.topic == TOPIC]


def test_a_room_without_sensors_has_no_message_of_its_presence(board: Board) -> None:
    assert plain(board) == []
    assert list(DISCOVERY.presence(stated(board))) == []


@pytest.mark.parametrize(("present", "word"), [(True, b"ON"), (False, b"OFF")])
def test_a_known_presence_is_a_word_that_expires_with_the_statement(
    board: Board,
    present: bool,  # noqa: FBT001 - a row of the table
    word: bytes,
) -> None:
    board.sense("boardroom", RADAR, Reading(present=present, at=at("9:00")))
    (message,) = plain(board)
    assert (message.payload, message.retain, message.json) == (word, True, False)
    assert message.expires_at == stated(board).occupancy.valid_until <= at("9:30")


def test_the_topic_is_cleared_while_the_presence_is_unknown(board: Board) -> None:
    board.sense("boardroom", RADAR, Reading(present=True, at=at("9:00")))
    board.set_sensor_available("boardroom", RADAR, available=False)
    assert [message.payload for message in plain(board)] == [b""]


def test_topic_and_entity_are_cleared_when_the_presence_is_not_shown_any_more(board: Board) -> None:
    board.sense("boardroom", RADAR, Reading(present=True, at=at("9:00")))
    (message,) = DISCOVERY.presence(stated(board))
    assert message.topic == CONFIG
    config = json.loads(message.payload)
    assert config["unique_id"] == "placed/rooms/boardroom/presence"
    assert config["state_topic"] == "placed/rooms/boardroom/state"
    board.change_show_presence(ShowPresence.NOTHING)
    assert json.loads(stated(board).document)["presence"] is None
    assert [message.payload for message in plain(board)] == [b""]
    assert [(m.topic, m.payload) for m in DISCOVERY.presence(stated(board))] == [(CONFIG, b"")]


def test_a_room_with_one_seat_shows_no_presence_unless_its_settings_ask_for_it(board: Board) -> None:
    reading = Reading(present=True, at=at("9:00"), count=1)
    for asked, shown in ((None, False), (ShowPresence.STATE, True)):
        board.enroll("contoso", [room(capacity=1, show_presence=asked)])
        board.sense("boardroom", RADAR, reading)
        assert (json.loads(stated(board).document)["presence"] is not None) is shown
        assert [m.payload for m in plain(board) if m.payload] == ([b"ON"] if shown else [])


def test_a_count_is_shown_only_where_the_site_asks_for_it_and_at_most_the_seats(board: Board) -> None:
    board.enroll("contoso", [room(capacity=6)])
    board.sense("boardroom", RADAR, Reading(present=True, at=at("9:00"), count=9))
    assert json.loads(stated(board).document)["presence"]["count"] is None
    board.change_show_presence(ShowPresence.COUNT)
    assert json.loads(stated(board).document)["presence"]["count"] == 6
