from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from placed.domain.presence import SensorKind
from placed.sensors.routing import Matched, Route, routes_of
from placed.sensors.topic_tree import TopicTree
from placed.settings.sensor_settings import SensorSettings


def route(**settings: Any) -> Route:
    return routes_of([SensorSettings(**{"presence": "@", **settings})])[0]


def test_named_levels_become_wildcards_of_the_filter() -> None:
    one = route(topic="site/{room}/+/#", available={"topic": "site/{room}/status"})
    assert one.filters == ["site/+/+/#", "site/+/status"]
    assert one.topic is not None
    assert one.topic.match("site/boardroom/pir/a/b") == Matched("boardroom", None, ("pir", "a/b"))


def test_the_room_is_fixed_or_in_the_topic_or_looked_up_by_device() -> None:
    assert route(topic="x", room="boardroom").room_of(Matched(), None) == "boardroom"
    assert route(topic="x/{room}").room_of(Matched("library"), None) == "library"
    by_level = route(topic="x/{device}", rooms={"24e1": "library"})
    assert by_level.room_of(Matched(device="24e1"), None) == "library"
    assert by_level.room_of(Matched(device="other"), None) is None
    by_message = route(topic="x", device="id", rooms={"7": "library"})
    assert by_message.room_of(Matched(), "7") == "library"
    assert by_message.room_of(Matched(), None) is None


def test_sensors_of_several_devices_have_names_of_their_own() -> None:
    wild = route(topic="x/+/{room}", name="pir")
    assert wild.sensor_of(Matched("library", None, ("a",)), None).name == "pir/a"
    many = route(topic="x/{device}", rooms={"a": "library", "b": "library"}, name="vs")
    assert [(room, sensor.name) for room, sensor in many.fixed] == [("library", "vs/a"), ("library", "vs/b")]
    assert route(topic="x", room="library").fixed[0][1].name == "x"


def test_tables_of_the_same_topic_have_different_names() -> None:
    tables = [SensorSettings(topic="x", room="library", count=f"region_{n}", zone=str(n)) for n in (1, 2)]
    assert [one.name for one in routes_of(tables)] == ["x", "x (2)"]


def test_hold_and_kind_have_defaults() -> None:
    counter = route(topic="x", room="library", count="n", presence=None).fixed[0][1]
    assert (counter.kind, counter.hold) == (SensorKind.COUNTER, timedelta(minutes=2))
    zero = route(topic="x", room="library", hold="0s", kind="radar", stale_after="1h").fixed[0][1]
    assert (zero.hold, zero.stale_after) == (timedelta(), timedelta(hours=1))


def test_a_tree_finds_what_mqtt_matches() -> None:
    tree: TopicTree[str] = TopicTree()
    filters = ("a/b", "a/+", "a/#", "#", "+/b", "a/b/#", "a", "+", "a/b/c", "/+", "+/+")
    for one in filters:
        tree.add(one, one)
    assert sorted(tree.find("a/b")) == sorted(("a/b", "a/+", "a/#", "#", "+/b", "a/b/#", "+/+"))
    assert sorted(tree.find("a")) == sorted(("a", "a/#", "+", "#"))
    assert sorted(tree.find("/b")) == sorted(("/+", "+/b", "+/+", "#"))
    assert sorted(tree.find("a/b/c")) == sorted(("a/b/c", "a/b/#", "a/#", "#"))
    assert tree.find("$SYS/b") == []
    assert tree.find("+/x") == ["+/+", "#"] or sorted(tree.find("+/x")) == ["#", "+/+"]


@pytest.mark.parametrize(
    ("table", "rooms"),
    [
        ({"topic": "a/{room}/motion"}, {"boardroom", "library"}),
        ({"topic": "a/+", "room": "boardroom"}, {"boardroom"}),
        ({"topic": "a", "room": "library"}, {"library"}),
        ({"topic": "a/{device}", "rooms": {"d1": "library"}}, {"library"}),
    ],
)
def test_a_table_may_be_of_a_sensor_in_these_rooms(table: dict[str, Any], rooms: set[str]) -> None:
    one = route(**table)
    assert {room_id for room_id in ("boardroom", "library") if one.may_be_in(room_id)} == rooms
