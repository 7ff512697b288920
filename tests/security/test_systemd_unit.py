"""How little the service may do, judged by systemd from the unit's text alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
UNIT = HOUSE / "systemd" / "placed.service"


def test_the_exposure_that_the_pages_state_is_what_systemd_finds_offline() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    (stated,) = re.findall(
        r"`systemd-analyze security`: (\d\.\d)", (HOUSE / "SECURITY.md").read_text("utf-8")
    )
    command: list[str | Path] = ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"Overall exposure level for placed.service: {stated} " in found


@pytest.mark.parametrize("line", ["PrivateMounts=yes", "EnvironmentFile=-/etc/default/placed"])
def test_the_unit_says_it(line: str) -> None:
    assert line in UNIT.read_text("utf-8").splitlines()
