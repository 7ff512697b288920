"""How little the service may do, judged by systemd from the unit's text alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from placed.mqtt.publisher_context import Timing
from placed.runtime.daemon import LAST_NOTES

REPOSITORY = Path(__file__).resolve().parents[2]
UNIT = REPOSITORY / "systemd" / "placed.service"


def test_the_exposure_that_the_pages_state_is_what_systemd_finds_offline() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    (stated,) = re.findall(
        r"`systemd-analyze security`: (\d\.\d)", (REPOSITORY / "SECURITY.md").read_text("utf-8")
    )
    command: list[str | Path] = ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"Overall exposure level for placed.service: {stated} " in found


@pytest.mark.parametrize("line", ["PrivateMounts=yes", "EnvironmentFile=-/etc/default/placed"])
def test_the_unit_contains_the_directive(line: str) -> None:
    assert line in UNIT.read_text("utf-8").splitlines()


def test_systemd_waits_for_the_last_readings_to_be_stored() -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text("utf-8"), re.MULTILINE)
    # The publisher stops in two steps, each with its own limit; endpoint and drivers take a second or so.
    assert int(seconds) > LAST_NOTES + 2 * Timing().stop_timeout + 2
