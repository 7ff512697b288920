"""What no command imports before it needs it; tests/benchmarks/measures/startup.py measures the start."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # it starts a Python for each program

FOR_EVERY_COMMAND = {"aiohttp", "mqtt5", "pydantic", "rich", "structlog"}  # `--version` needs none of them
ONLY_WHEN_USED = {
    "aiomqtt",
    "amqtt",
    "msal",
    "placed.mqtt.command_subscription",
    "placed.mqtt.discovery.home_assistant",
    "placed.sensors.sensor_broker_connection",
    "prometheus_client",
    "pydantic_settings",
    "segno",
    "trustme",
}


@pytest.mark.parametrize(
    ("program", "late"),
    [
        ("import placed.cli.commands", FOR_EVERY_COMMAND | ONLY_WHEN_USED),
        ("import placed.runtime.signals, placed_microsoft365", ONLY_WHEN_USED),
    ],
)
def test_a_program_imports_nothing_long_before_it_needs_it(program: str, late: set[str]) -> None:
    reported = f"{program}; import sys; print(*sorted({late} & sys.modules.keys()))"
    process = subprocess.run([sys.executable, "-c", reported], capture_output=True, check=True, text=True)
    assert process.stdout.split() == []
