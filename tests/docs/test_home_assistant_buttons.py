"""The buttons for Home Assistant send what the page describes.

The templates are rendered by Jinja's sandbox with the functions of Home Assistant that they use: its own
environment is a sandbox of Jinja, too.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from placed.domain.command_message import InvalidCommand, read_payload

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "home-assistant.md").read_text("utf-8")
NOW = datetime(2026, 1, 8, 9, 15, 7, tzinfo=UTC)
START = "2026-01-08T09:00:00Z"


def buttons() -> dict[str, Any]:
    """The buttons of the page, by the action that they ask for."""
    (block,) = re.findall(
        r"^```yaml\n(mqtt:\n  sensor:\n[^`]*?  button:\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL
    )
    found = yaml.safe_load(block)["mqtt"]["button"]
    return {button["command_topic"].rpartition("/")[2]: button for button in found}


def pressed(action: str, start: str = START) -> bytes:
    """What a button sends now."""
    environment = ImmutableSandboxedEnvironment()
    functions = {"utcnow": lambda: NOW, "timedelta": timedelta, "states": lambda _entity: start}
    text = environment.from_string(buttons()[action]["command_template"]).render(functions)
    return text.encode()


def test_a_press_books_half_an_hour_with_a_key_of_its_own() -> None:
    first, second = (read_payload(pressed("book")) for _ in range(2))
    assert first.key != second.key
    assert (first.issued_at, first.meeting, first.until) == (NOW, None, NOW + timedelta(minutes=30))


def test_a_press_ends_the_meeting_that_is_shown_and_none_otherwise() -> None:
    command = read_payload(pressed("end"))
    assert (command.meeting, command.until) == (datetime(2026, 1, 8, 9, tzinfo=UTC), None)
    for shown in ("none", "unavailable", "unknown"):
        with pytest.raises(InvalidCommand):
            read_payload(pressed("end", shown))


def test_buttons_are_not_retained() -> None:
    assert {(button["qos"], button["retain"]) for button in buttons().values()} == {(1, False)}
