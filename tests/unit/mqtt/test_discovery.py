"""The discovery documents for Home Assistant: names, templates, areas and expiry."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from placed.mqtt.topics import BRIDGE_ENTITIES, ROOM_ENTITIES
from placed.settings.output_settings import HomeAssistant
from tests.support.discovery_documents import discovery, room_configs
from tests.support.publisher_setup import room

LEVELS = st.lists(st.text("ab-_/ä.", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)
IDS = st.text("ab-_", min_size=1, max_size=5) | st.sampled_from(["a_busy", "bridge", "a_busy_until", "rooms"])


@settings(deadline=None)
@given(st.tuples(LEVELS, IDS), st.tuples(LEVELS, IDS))
def test_no_two_rooms_are_ever_taken_for_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    if one == other:
        return
    first, second = (room_configs(room(room_id), base) for base, room_id in (one, other))
    assert first.keys().isdisjoint(second)
    for part in (lambda c: c["unique_id"], lambda c: c["device"]["identifiers"][0]):
        assert set(map(part, first.values())).isdisjoint(map(part, second.values()))


@settings(deadline=None)
@given(LEVELS, IDS)
def test_the_bridge_is_never_taken_for_a_room(base: str, room_id: str) -> None:
    rooms = room_configs(room(room_id), base)
    bridge = {message.topic: json.loads(message.payload) for message in discovery(base).bridge()}
    assert rooms.keys().isdisjoint(bridge)
    assert {c["unique_id"] for c in rooms.values()}.isdisjoint(c["unique_id"] for c in bridge.values())


def test_what_an_entity_is_called_is_never_the_end_of_another() -> None:
    names = [*BRIDGE_ENTITIES, *ROOM_ENTITIES]
    assert len(set(names)) == len(names)
    assert not [(a, b) for a in names for b in names if a.endswith(f"_{b}")]


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_what_a_room_is_called_never_gets_into_a_template(name: str, building: str, floor: str) -> None:
    """Nor into anything but the device's name and area, on one line and not without end."""
    plain = room_configs(room("boardroom"))
    named = room_configs(replace(room("boardroom"), name=name, building=building, floor=floor))
    assert plain.keys() == named.keys()
    for topic, config in named.items():
        device, usual = config.pop("device"), plain[topic].pop("device")
        assert config == plain[topic]
        for key in ("name", "suggested_area"):
            text = device.pop(key)
            usual.pop(key)
            assert text
            assert text.isprintable()
            assert len(text) <= 300
        assert device == usual


@pytest.mark.parametrize(
    ("building", "floor", "area"),
    [
        ("HQ", "3", "HQ, Floor 3"),
        ("HQ", "-1", "HQ, Floor -1"),
        ("HQ", "Mezzanine", "HQ, Mezzanine"),
        ("HQ", None, "HQ"),
        (None, "0", "Floor 0"),
        (None, None, "Boardroom"),
        (" \n", "", "Boardroom"),
    ],
)
def test_an_area_is_where_the_room_is_as_far_as_that_is_known(
    building: str | None, floor: str | None, area: str
) -> None:
    where = replace(room("boardroom"), building=building, floor=floor)
    assert {config["device"]["suggested_area"] for config in room_configs(where).values()} == {area}


def test_every_entity_expires_and_reason_entities_expire_last() -> None:
    known = "placed/rooms/boardroom/availability"
    without = set()
    for topic, config in room_configs(room("boardroom")).items():
        assert config["expire_after"] == 900
        assert config["availability_mode"] == "all"
        topics = [availability["topic"] for availability in config["availability"]]
        assert "placed/bridge/state" in topics
        if known not in topics:
            without.add(topic.split("/")[-2])
    assert without == {"boardroom_stale", "boardroom_reason"}
    expiries = {json.loads(m.payload)["object_id"]: json.loads(m.payload) for m in discovery().bridge()}
    assert expiries["placed_connection"]["expire_after"] == 90
    assert expiries["placed_problem"]["expire_after"] == 180


@pytest.mark.parametrize("prefix", ["", "a b", "#", "a/+", "/a", "a/", "ä", "$a", "x" * 201])
def test_a_prefix_that_no_topic_can_have_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="expected topic levels such as homeassistant"):
        HomeAssistant(discovery_prefix=prefix)
