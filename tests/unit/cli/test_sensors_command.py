"""`placed sensors --try FILE`: what a message gives, or why it gives nothing; never the message itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from placed.cli.commands import app
from tests.unit.settings.test_loader import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Try = Callable[..., Result]

SENSORS = """
[mqtt]
url = "mqtt://broker.example"

[[sensors]]
name = "radar"
topic = "z/radar"
room = "boardroom"
presence = "occupancy"
available = { topic = "z/radar/availability", path = "state" }

[[sensors]]
name = "lora"
topic = "app/{device}/up"
rooms = { a = "library" }
count = "object.people"
at = "time"

[[sensors]]
name = "butlr"
token_file = "/etc/placed/butlr-token"
device = "room"
rooms = { "board-1" = "boardroom" }
count = "data.occupancy"

[[sensors]]
topic = "y/{room}/state"
presence = "@"
"""
NO_READING = "radar: no reading: {}, room boardroom"


@pytest.fixture
def try_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Tries a message with the sensors above."""
    monkeypatch.delenv("PLACED_CONFIG", raising=False)
    settings, message = tmp_path / "placed.toml", tmp_path / "message"
    settings.write_text(CONNECTION + SENSORS)

    def try_message(content: bytes, *options: str) -> Result:
        message.write_bytes(content)
        return CliRunner().invoke(
            app, ["sensors", "--try", str(message), "--config", str(settings), *options]
        )

    return try_message


@pytest.mark.parametrize(
    ("content", "options", "line"),
    [
        (b'{"occupancy":true}', "--name radar", "radar: present, room boardroom"),
        (b'{"occupancy":"OFF"}', "--name radar --topic z/radar", "radar: empty, room boardroom"),
        (
            b'{"object":{"people":3},"time":"2026-03-02T09:00:00+01:00"}',
            "--name lora --topic app/a/up",
            "lora: present, count 3, measured at 2026-03-02T08:00:00Z, device a, room library",
        ),
        (
            b'{"object":{"people":0}}',
            "--name lora",
            "lora: empty, count 0, the device is in the topic: add --topic",
        ),
        (
            b'{"room":"board-1","data":{"occupancy":1}}',
            "--name butlr",
            "butlr: present, count 1, device board-1, room boardroom",
        ),
        (
            b'{"state":"online"}',
            "--name radar --topic z/radar/availability",
            "radar: the device is there",
        ),
        (
            b'{"state":"offline"}',
            "--name radar --topic z/radar/availability",
            "radar: the device is not there, so its room is unknown",
        ),
        (b"ON", "--name y/{room}/state --topic y/library/state", "y/{room}/state: present, room library"),
        (b"ON", "--name y/{room}/state", "y/{room}/state: present, the room is in the topic: add --topic"),
    ],
)
def test_a_reading_is_shown_with_its_device_and_its_room(
    try_message: Try, content: bytes, options: str, line: str
) -> None:
    result = try_message(content, *options.split())
    assert (result.exit_code, result.stdout) == (0, f"{line}\n")


@pytest.mark.parametrize(
    ("content", "options", "line"),
    [
        (
            b'{"x":"s3cret"}',
            "--name radar",
            NO_READING.format('the message has no value at presence "occupancy"'),
        ),
        (
            b'{"occupancy":"s3cret"}',
            "--name radar",
            NO_READING.format('the value at presence "occupancy" means neither present nor empty'),
        ),
        (
            b'{"occupancy":"unavailable"}',
            "--name radar",
            NO_READING.format("the device is reported as unavailable, so its room is unknown"),
        ),
        (b"\xffs3cret", "--name radar", NO_READING.format("the message is not UTF-8")),
        (b" " * (64 * 1024 + 1), "--name radar", NO_READING.format("the message is larger than 64 KiB")),
        (
            b'{"occupancy":true}',
            "--name radar --topic z/other",
            "radar: its topic z/radar does not match z/other",
        ),
        (
            b"online",
            "--name radar --topic z/radar/availability",
            'radar: the message has no value at available.path "state"',
        ),
        (
            b"{}",
            "--name butlr",
            (
                'butlr: no reading: the message has no value at count "data.occupancy", '
                'no room: the message has no device at "room"'
            ),
        ),
        (
            b'{"room":"board-1","data":{"occupancy":1}}',
            "--name butlr --topic z/radar",
            "butlr: it is a webhook, so no message of z/radar reaches it",
        ),
        (
            b'{"object":{"people":3}}',
            "--name lora --topic app/other/up",
            "lora: present, count 3, device other, which is not in rooms: the settings name no room for it",
        ),
    ],
)
def test_a_message_that_would_not_be_used_is_a_failure_with_the_reason(
    try_message: Try, content: bytes, options: str, line: str
) -> None:
    result = try_message(content, *options.split())
    assert (result.exit_code, result.stdout) == (1, f"{line}\n")
    assert "s3cret" not in result.output


def test_without_a_name_all_sensors_are_tried_and_one_that_uses_it_is_enough(try_message: Try) -> None:
    result = try_message(b'{"occupancy":true}', "--topic", "z/radar")
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        *("radar", "lora", "butlr", "y/{room}/state")
    ]


def test_a_device_cannot_control_the_terminal(try_message: Try) -> None:
    result = try_message(b'{"room":"\\u001b[2J","data":{"occupancy":1}}', "--name", "butlr")
    assert result.exit_code == 1
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--name", "rader"], "there is no sensor rader; name one of: radar, lora, butlr"),
        (["--try", "/none"], "/none: No such file or directory"),
    ],
)
def test_what_is_not_there_is_a_matter_of_usage(try_message: Try, options: list[str], words: str) -> None:
    result = try_message(b"ON", *options)
    assert result.exit_code == 2
    assert words in " ".join(line.strip("│ ") for line in result.stderr.splitlines())


def test_settings_without_sensors_and_wrong_settings_are_different_errors(tmp_path: Path) -> None:
    file = tmp_path / "placed.toml"
    arguments = ["sensors", "--try", str(file), "--config", str(file)]
    file.write_text(CONNECTION)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "the settings have no [[sensors]]" in result.stderr
    file.write_text(CONNECTION + '[[sensors]]\ntopic = "z"\nroom = "a"\npresence = "a.["\n')
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 3
    assert "sensors[0].presence: found 'a.['" in result.stderr
