"""How often the terminal is drawn; in real time, since that is what limits it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from placed.cli.live_terminal import keep_drawn
from placed.cli.room_table import View

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 1.3  # seconds in which there is news all the time


async def frames(head: Callable[[int], str]) -> tuple[int, int]:
    """How often a view was made, and how often it was drawn."""
    console = Console(file=StringIO(), force_terminal=True, width=80, height=24)
    news = asyncio.Event()
    made = 0

    def draw(size: tuple[int, int]) -> tuple[View, float | None]:
        nonlocal made
        made += 1
        return View((head(made), ""), (), "", size), None

    async def bring_news() -> None:
        while True:
            news.set()
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(keep_drawn(console, draw, news)), asyncio.create_task(bring_news())]
    with suppress(TimeoutError):
        async with asyncio.timeout(LONG):
            await asyncio.gather(*tasks)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert isinstance(console.file, StringIO)
    return made, console.file.getvalue().count("head")


@pytest.mark.slow  # real time: a terminal is drawn twice a second
async def test_it_is_drawn_twice_a_second_at_most_whatever_happens() -> None:
    made, drawn = await frames(lambda number: f"head {number}")
    assert made <= 3
    assert drawn == made


@pytest.mark.slow  # real time: a terminal is drawn twice a second
async def test_it_is_not_drawn_again_without_a_visible_difference() -> None:
    made, drawn = await frames(lambda _: "head")
    assert made >= 1
    assert drawn == 1
