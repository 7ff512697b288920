"""Tables of sensors as people mistype them: `placed check` names the place, and what it expects there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from placed.cli.commands import app
from tests.support.secret_files import write_secret
from tests.unit.settings.test_loader import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Check = Callable[[str], list[str]]

MQTT = '[mqtt]\nurl = "mqtts://broker.example"\n'
GOOD = 'topic = "z/radar"\nroom = "boardroom"\npresence = "@"\n'


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Checks the settings; returns what is wrong with them, without the file, a line each."""
    monkeypatch.delenv("PLACED_CONFIG", raising=False)
    write_secret(tmp_path / "secret", "s3cret-of-the-client")
    file = tmp_path / "placed.toml"

    def check(text: str) -> list[str]:
        file.write_text(CONNECTION.replace("/run/secret", str(tmp_path / "secret")) + text, "utf-8")
        result = CliRunner().invoke(app, ["check", "--config", str(file)])
        assert result.exit_code in (0, 3), result.output
        lines = result.stderr.splitlines()
        assert bool(lines) is (result.exit_code == 3)
        return [line.removeprefix(f"placed: {file}: ") for line in lines]

    return check


def table(text: str, mqtt: str = MQTT) -> str:
    return f"{mqtt}[[sensors]]\n{text}\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        'topic = "z/{room}/+"\npresence = "occupancy || presence"\n',
        'topic = "app/{device}/up"\nrooms = { a = "boardroom" }\ncount = "object.people"\n',
        'topic = "app"\ndevice = "id"\nrooms = { a = "boardroom" }\ncount = "length(people)"\n',
        GOOD + 'available = { topic = "z/radar/state", path = "state" }\n',
        GOOD + 'broker = "other"\n[sensor_brokers.other]\nurl = "mqtt://other.example"\n',
    ],
)
def test_a_table_without_mistakes_is_good(check: Check, text: str) -> None:
    assert check(table(text)) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'topic = "z/r"\nroom = "boardroom"',
            ": expected presence or count: where the reading is in the message",
        ),
        ('room = "boardroom"\npresence = "@"', ": expected topic, or token_file for a webhook"),
        (
            'topic = "z/{room}"\nroom = "boardroom"\npresence = "@"',
            ": expected exactly one of: room, rooms, and the level {room} in the topic",
        ),
        (
            'topic = "z/+"\npresence = "@"',
            ": expected exactly one of: room, rooms, and the level {room} in the topic",
        ),
        (
            'topic = "z"\nrooms = { a = "boardroom" }\npresence = "@"',
            ": expected the level {device} in the topic or the key device, with rooms",
        ),
        (
            'topic = "z/{room}"\ndevice = "id"\npresence = "@"',
            ": expected rooms, which has the room of each device",
        ),
        (
            GOOD + 'available = { topic = "z/{device}/state" }',
            ": expected {device} in available.topic only where the topic has it",
        ),
        (
            'token_file = "/none"\nroom = "boardroom"\npresence = "@"',
            ": expected a name for the webhook POST /api/v1/sensors/<name>",
        ),
        (GOOD + 'presense = "@"', ".presense: unknown key; did you mean presence?"),
        (GOOD + 'kind = "camera"', ".kind: found 'camera', expected pir, radar, counter, thermal or contact"),
        (GOOD + 'stale_after = "0s"', ".stale_after: found '0s', expected a duration longer than nothing"),
        (GOOD + "hold = 5", '.hold: found 5, expected a duration such as "30s", "5m" or "1h"'),
        (
            'topic = "z"\nroom = "Boardroom"\npresence = "@"',
            ".room: found 'Boardroom', expected: The id of its room: a-z, 0-9, - and _.",
        ),
        (
            GOOD + 'name = "Radar 1"',
            (
                ".name: found 'Radar 1', expected: "
                "The sensor's name in messages and in the address of its webhook: a-z, 0-9, - and _."
            ),
        ),
    ],
)
def test_a_mistake_in_a_table_is_a_line_with_its_place(check: Check, text: str, line: str) -> None:
    assert check(table(text)) == [f"sensors[0]{line}"]


@pytest.mark.parametrize("topic", ["z/#/r", "z/r#", "z/+r"])
def test_where_a_wildcard_is_allowed_is_part_of_the_message(check: Check, topic: str) -> None:
    (line,) = check(table(f'topic = "{topic}"\nroom = "boardroom"\npresence = "@"'))
    assert line.endswith("; + is a whole level, # the last one")


def test_a_single_table_of_sensors_needs_two_brackets(check: Check) -> None:
    assert check(f"{MQTT}[sensors]\n{GOOD}") == [
        "sensors: found a table, expected [[sensors]], in two brackets"
    ]


@pytest.mark.parametrize(
    "topic", ["", "z/r+", "z/#/r", "$SYS/broker", "z/{room}x", "z/{room}/{room}", "z/{floor}"]
)
def test_a_topic_that_is_no_filter_is_refused(check: Check, topic: str) -> None:
    (line,) = check(table(f'topic = "{topic}"\nroom = "boardroom"\npresence = "@"'))
    assert line.startswith(f"sensors[0].topic: found '{topic}', expected ")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("a ||", "Invalid jmespath expression: Incomplete expression"),
        ("lenght(people) > `0`", "there is no function lenght"),
        ("length(people, a)", "the function length takes 1 argument, not 2"),
        ("join(people)", "the function join takes 2 arguments, not 1"),
    ],
)
def test_every_expression_is_compiled_and_all_that_are_wrong_are_reported(
    check: Check, expression: str, why: str
) -> None:
    keys = ("presence", "count", "at")
    lines = check(
        table("\n".join(['topic = "z"', 'room = "a"', *(f'{key} = "{expression}"' for key in keys)]))
    )
    found = f"found '{expression}', expected a JMESPath expression: {why}"
    assert sorted(lines) == sorted(f"sensors[0].{key}: {found}" for key in keys)
    (line,) = check(table(f'{GOOD}available = {{ topic = "z/a", path = "{expression}" }}'))
    assert line == f"sensors[0].available.path: {found}"


def test_mistakes_of_all_tables_are_reported_at_once(check: Check) -> None:
    wrong = "[[sensors]]\n" + GOOD.replace("@", "a.[")
    lines = check(table(GOOD) + wrong + wrong)
    assert [line.split(":")[0] for line in lines] == ["sensors[1].presence", "sensors[2].presence"]


def test_two_tables_of_the_same_name_are_refused(check: Check) -> None:
    same = f'[[sensors]]\nname = "radar"\n{GOOD}'
    assert check(MQTT + same + same) == ["sensors: radar is used more than once"]


def test_a_topic_needs_a_broker(check: Check) -> None:
    assert check(table(GOOD, mqtt="")) == [
        (
            "sensors[0].topic: a topic needs a broker, and there is no table [mqtt]; "
            "set broker to a table [sensor_brokers.<name>], or set mqtt.url"
        )
    ]
    assert check(table(GOOD + 'broker = "other"')) == [
        "sensors[0].broker: found 'other', expected a table [sensor_brokers.other]; add it"
    ]
    another = '[sensor_brokers.things]\nurl = "mqtt://things.example"\n'
    (line,) = check(another + table(GOOD + 'broker = "other"'))
    assert line.endswith("; add it, or name one that there is: things")


@pytest.mark.parametrize(
    "topic",
    ["placed/rooms/{room}/presence", "placed/rooms/{room}/+", "+/rooms/{room}/occupied", "+/+/{room}/#"],
)
def test_a_sensor_cannot_be_what_the_daemon_publishes_itself(check: Check, topic: str) -> None:
    text = f'topic = "{topic}"\npresence = "@"\n'
    assert check(table(text)) == [
        (
            f"sensors[0].topic: found '{topic}', which matches what placed publishes below placed/rooms; "
            "use a filter that does not, or another mqtt.base_topic"
        )
    ]
    other = '[sensor_brokers.other]\nurl = "mqtt://other.example"\n'
    assert check(other + table(text + 'broker = "other"')) == []


@pytest.mark.parametrize("topic", ["placed/sensors/{room}", "z/rooms/{room}/presence", "+/{room}/presence"])
def test_topics_beside_the_rooms_own_can_be_sensors(check: Check, topic: str) -> None:
    assert check(table(f'topic = "{topic}"\npresence = "@"')) == []


def test_a_broker_of_sensors_is_checked_as_the_other_one(check: Check) -> None:
    lines = check(
        table(GOOD) + '[sensor_brokers.things]\nurl = "http://things.example"\npasword_file = "x"\n'
    )
    assert lines == [
        (
            "sensor_brokers.things.url: found 'http://things.example', "
            "expected mqtt://host[:1883] or mqtts://host[:8883]"
        ),
        "sensor_brokers.things.pasword_file: unknown key; did you mean password_file?",
    ]


def test_the_token_of_a_webhook_is_a_file_of_its_own(check: Check, tmp_path: Path) -> None:
    for name in ("reading", "same"):
        write_secret(tmp_path / name, "token-of-the-endpoint")
    webhook = '[[sensors]]\nname = "hook"\nroom = "boardroom"\npresence = "@"\ntoken_file = "{}"\n'
    reading = f'[http]\ntoken_file = "{tmp_path / "reading"}"\n'
    (line,) = check(reading + webhook.format(tmp_path / "none"))
    assert line.startswith(f"sensors[0].token_file: {tmp_path / 'none'}: there is no such file")
    (line,) = check(reading + webhook.format(tmp_path / "same"))
    assert line == (
        f"sensors[0].token_file: {tmp_path / 'same'}: is the token of http.token_file; "
        "make another token for the sensor"
    )
    (line,) = check('[http]\nlisten = ""\n' + webhook.format(tmp_path / "same"))
    assert line == "sensors[0].token_file: a webhook needs the status endpoint; set http.listen"


@pytest.mark.parametrize("key", ["privacy", "rooms.boardroom"])
def test_what_may_be_shown_of_a_presence_is_one_of_three_words(check: Check, key: str) -> None:
    assert check(f'[{key}]\npresence = "everything"\n') == [
        f"{key}.presence: found 'everything', expected nothing, state or count"
    ]
