"""The recipes in docs/sensors.md: that each is accepted, and reads its messages as the page states."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from placed.sensors.payload.message_to_reading import PayloadMapping
from placed.settings.loader import load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sensors.md"
SECTION = re.compile(r"^### (?P<title>.+)\n(?P<body>(?:(?!#{2,3} ).*\n?)*)", re.MULTILINE)
TOML = re.compile(r"```toml\n(.+?)```", re.DOTALL)
MESSAGE = re.compile(r"```(?:json|text)\n(.+?)\n```\n\n-> (.+)")
ARRIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REST = """
[mqtt]
url = "mqtt://localhost:1883"

[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "contoso.example"
client_id = "00000000-0000-0000-0000-000000000001"
client_secret_file = "/run/secret"
rooms = ["boardroom@contoso.example"]
"""
RECIPES = {found["title"]: found["body"] for found in SECTION.finditer(PAGE.read_text("utf-8"))}
WITH_SETTINGS = [title for title, body in RECIPES.items() if TOML.search(body)]


CHANGES_ONLY = ["ESPHome", "Home Assistant (MQTT Statestream)", "Homie 5"]


def stated(mapping: PayloadMapping, payload: str) -> str:
    reading = mapping.read(payload.encode(), ARRIVED).reading
    if reading is None:
        return "no reading"
    word = "present" if reading.present else "empty"
    return word if reading.count is None else f"{word}, {reading.count} people"


def test_the_page_has_recipes() -> None:
    assert len(WITH_SETTINGS) == 10


@pytest.mark.parametrize("title", WITH_SETTINGS)
def test_a_recipe_reads_its_messages_as_stated(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLACED_CONFIG", raising=False)
    found = TOML.search(RECIPES[title])
    assert found is not None
    path = tmp_path / "placed.toml"
    path.write_text(REST + found[1], "utf-8")
    (sensor,) = load(path).settings.sensors
    mapping = PayloadMapping(sensor.presence, sensor.count, sensor.at, sensor.device)
    messages = MESSAGE.findall(RECIPES[title])
    assert messages
    assert [stated(mapping, payload) for payload, _ in messages] == [result for _, result in messages]


@pytest.mark.parametrize("title", CHANGES_ONLY)
def test_a_recipe_of_a_device_that_sends_only_changes_keeps_its_room_known_for_hours(title: str) -> None:
    found = TOML.search(RECIPES[title])
    assert found is not None
    assert 'stale_after = "12h"' in found[1].splitlines()
