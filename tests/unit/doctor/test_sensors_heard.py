"""What `placed doctor` makes of the messages of sensors, and of their silence."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor.sensor_findings import judge_rooms, judge_sensors, judge_webhooks
from placed.doctor.sensors_heard import SensorTrial, TableTrial
from placed.driver import Finding, Verdict
from placed.sensors.routing import routes_of
from placed.settings.sensor_settings import SensorSettings
from tests.support.domain_builders import at

if TYPE_CHECKING:
    from placed.domain.problem import Problem

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
RADAR: dict[str, Any] = {"topic": "z/radar", "room": "boardroom", "name": "radar", "presence": "occupancy"}
DEVICES: dict[str, Any] = {
    "topic": "app/{device}/up",
    "name": "lora",
    "rooms": {"a": "boardroom", "b": "library"},
    "count": "object.people",
}


def located(problem: Problem, place: int, key: str) -> Problem:
    return problem.at(f"sensors[{place}].{key}", "placed.toml")


class Waiting:
    """A minute of waiting for the sensors of some tables."""

    def __init__(self, *tables: dict[str, Any]) -> None:
        routes = routes_of(SensorSettings(**table) for table in tables)
        self.tables = [TableTrial(place, route) for place, route in enumerate(routes)]
        self.trial = SensorTrial(self.tables, lambda: at("9:00"))

    def hears(self, topic: str, message: object, *, retained: bool = False) -> int:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.trial.hear(topic, payload, retained=retained)

    def ends(self) -> list[tuple[Verdict, str, str]]:
        return described(judge_sensors(self.tables, timedelta(minutes=1), located))


def described(findings: list[Finding]) -> list[tuple[Verdict, str, str]]:
    assert {finding.check for finding in findings} <= {"sensors"}
    return [(finding.verdict, finding.text, finding.remedy) for finding in findings]


def test_a_sensor_with_a_message_that_is_read_is_good_and_ends_the_wait() -> None:
    waiting = Waiting(RADAR)
    assert not waiting.trial.is_done
    assert waiting.hears("z/radar", {"battery": 3}) == 0
    assert waiting.hears("z/radar", {"occupancy": False}) == 1
    assert waiting.trial.is_done
    assert waiting.hears("z/radar", {"occupancy": "s3cret"}) == 0
    assert waiting.ends() == [(GOOD, "1 sensor sent a message that is read", "")]


def test_a_message_that_the_broker_kept_is_one() -> None:
    waiting = Waiting(RADAR)
    assert waiting.hears("z/radar", {"occupancy": True}, retained=True) == 1


def test_each_device_of_a_table_is_waited_for_and_others_are_not() -> None:
    waiting = Waiting(DEVICES)
    assert waiting.hears("app/a/up", {"object": {"people": 0}}) == 1
    assert waiting.hears("app/other/up", {"object": {"people": 1}}) == 0
    assert not waiting.trial.is_done
    good, silent = waiting.ends()
    assert good[:2] == (GOOD, "1 of 2 sensors sent a message that is read")
    assert silent[:2] == (DOUBTFUL, "no message of 1 sensor in 60 s: lora/b")
    assert "placed doctor --wait 10m" in silent[2]


@pytest.mark.parametrize(
    ("table", "message", "key", "words"),
    [
        (RADAR, {"x": "s3cret"}, "presence", 'the message has no value at presence "occupancy"'),
        (
            RADAR,
            {"occupancy": "s3cret"},
            "presence",
            'the value at presence "occupancy" means neither present nor empty',
        ),
        (
            RADAR | {"count": "people"},
            {"people": "s3cret"},
            "presence",
            'the value at presence "occupancy" and count "people" means neither present nor empty',
        ),
        (RADAR, b"\xffs3cret", "presence", "the message is not UTF-8"),
        (RADAR, b'{"occupancy":true' + b" " * 2**16 + b"}", "presence", "the message is larger than 64 KiB"),
    ],
)
def test_a_message_from_which_nothing_is_read_is_a_failure_that_names_the_expression_and_shows_no_message(
    table: dict[str, Any], message: object, key: str, words: str
) -> None:
    waiting = Waiting(table)
    waiting.hears("z/radar", message)
    (found,) = waiting.ends()
    assert found == (
        BAD,
        f"placed.toml: sensors[0].{key}: radar: {words}",
        "compare it with a message of the sensor: placed sensors --try FILE --name radar",
    )


def test_messages_without_a_device_are_a_failure_that_names_its_expression() -> None:
    waiting = Waiting(DEVICES | {"topic": "app", "device": "id"})
    waiting.hears("app", {"object": {"people": 1}})
    (found,) = waiting.ends()
    assert found[:2] == (
        BAD,
        'placed.toml: sensors[0].device: lora: the message has no device at "id"',
    )


def test_devices_of_a_table_with_the_same_failure_are_one_finding() -> None:
    waiting = Waiting(DEVICES)
    for device in ("a", "b"):
        waiting.hears(f"app/{device}/up", {"data": "AXVkA2c="})
    (found,) = waiting.ends()
    assert found[1].endswith('lora (2 devices): the message has no value at count "object.people"')


def test_of_many_tables_with_failures_a_few_are_shown() -> None:
    waiting = Waiting(*({"topic": f"z/{n}", "room": "boardroom", "presence": "x"} for n in range(9)))
    for number in range(9):
        waiting.hears(f"z/{number}", {})
    found = waiting.ends()
    assert len(found) == 6
    assert found[-1][:2] == (BAD, "4 more tables of sensors are not read")


def test_a_device_that_is_reported_as_unavailable_is_doubtful() -> None:
    waiting = Waiting(RADAR)
    waiting.hears("z/radar", {"occupancy": "unavailable"})
    (found,) = waiting.ends()
    assert found[:2] == (DOUBTFUL, "1 sensor report that the device is unavailable: radar")


def test_a_table_whose_topic_is_refused_is_not_waited_for() -> None:
    waiting = Waiting(RADAR)
    waiting.trial.refuse("z/radar")
    assert waiting.trial.is_done
    assert waiting.ends() == []


def test_rooms_that_no_connection_has_are_doubtful() -> None:
    tables = [SensorSettings(**table) for table in (RADAR, DEVICES)]
    assert judge_rooms(tables, ["boardroom", "library"], located) == []
    assert described(judge_rooms(tables, ["boardroom"], located)) == [
        (
            DOUBTFUL,
            "placed.toml: sensors[1].rooms: no connection has the room: library",
            "name the id of a room",
        )
    ]


def test_webhooks_are_not_waited_for() -> None:
    table = SensorSettings(name="hook", token_file=Path("token"), room="boardroom", count="n")
    assert [f.verdict for f in judge_webhooks([table])] == [GOOD]
    assert judge_webhooks([SensorSettings(**RADAR)]) == []
