"""Everybody who follows the events hears of a change at once; bench/sse.py has the measure in full."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench" / "sse.py"


@pytest.mark.alone
async def test_a_hundred_clients_hear_within_a_second_of_one_room_and_of_a_tenth_of_all() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        BENCH,
        "--clients=100",
        "--rooms=500",
        "--times=5",
        "--most=1",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = (await process.communicate())[0].decode()
    print(told)  # noqa: T201
    assert process.returncode == 0, told
