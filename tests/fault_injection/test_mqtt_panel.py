"""What the oracle sees of a panel."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.domain.model import Status
from tests.fault_injection import mqtt_panel
from tests.fault_injection.ground_truth import Truth
from tests.fault_injection.mqtt_panel import Screen, running
from tests.fault_injection.oracle import Oracle
from tests.fault_injection.promise import Promise, Violation
from tests.fault_injection.shared_clock import SharedClock
from tests.fault_injection.weather import Weather
from tests.support.mosquitto import Mosquitto, Subscriber

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from placed.panel.state_validity import Shown

PROMISE = Promise(budget=12.0, fresh=4.0, recovery=10.0)


def is_unknown(shows: Iterable[Shown]) -> bool:
    return all(shown.status is Status.UNKNOWN for shown in shows)


async def test_the_oracle_sees_what_a_panel_shows_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_panel, "_EVERY", 3600.0)  # so that there is no look at all
    clock, truth, weather = SharedClock(tmp_path / "clock"), Truth(ZoneInfo("UTC"), 4.0, 1.5), Weather(10.0)
    truth.tick(clock.elapsed(), clock.now().timestamp())
    truth.note("room", [], clock.elapsed())
    weather.begins("breeze", gentle=True)
    violations: list[Violation] = []
    oracle = Oracle(truth, weather, PROMISE, violations.append)
    state = {
        "schema": 1,
        "room": "room",
        "name": "Room",
        "status": "free",
        "stale": False,
        "valid_until": (clock.now() + timedelta(hours=1)).isoformat(),
        "epoch": 1,
        "seq": 1,
    }
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    try:
        async with Subscriber(broker) as anybody:
            await anybody.publish("placed/rooms/room/state", json.dumps(state), retain=True)
            await anybody.publish("placed/rooms", '{"rooms": [{"id": "room", "name": "Room"}]}', retain=True)
            await anybody.publish("placed/bridge/state", '{"state": "online"}', retain=True)
            screen = Screen("panel", broker.port, clock, oracle)
            async with running(screen):
                await screen.shows_all(1)
                await anybody.publish("placed/bridge/state", '{"state": "offline"}')
                await screen.until(is_unknown)
    finally:
        await broker.kill()
    assert [violation.rule for violation in violations] == ["flicker"]
