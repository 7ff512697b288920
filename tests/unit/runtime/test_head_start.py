"""Who asks the calendar services goes first."""

from __future__ import annotations

import asyncio
import sys
import threading

from placed.runtime.head_start import HeadStart, giving_way


async def test_it_is_over_when_every_connection_has_asked() -> None:
    start = HeadStart(2)
    over = asyncio.create_task(start.over())
    start.asked()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not over.done()
    asking = threading.Thread(target=start.asked)
    asking.start()
    async with asyncio.timeout(0.2):
        await over
    asking.join()


async def test_nobody_is_waited_for_who_does_not_ask() -> None:
    start = HeadStart(1)
    async with asyncio.timeout(5):
        await start.over()


def test_who_asks_when_all_is_over_does_no_harm() -> None:
    async def begin() -> HeadStart:
        return HeadStart(1)

    asyncio.run(begin()).asked()


def test_threads_have_their_usual_turns_again_afterwards() -> None:
    usual = sys.getswitchinterval()
    with giving_way():
        assert sys.getswitchinterval() < usual
    assert sys.getswitchinterval() == usual
