"""The command `placed` at a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from tests.support.deployment import Deployment


async def at_a_terminal(
    deployment: Deployment, *arguments: str, answers: list[tuple[str, str]] | None = None, code: int = 0
) -> str:
    """Runs placed at a terminal of its own, answers its questions, and gives what was shown."""
    leader, follower = os.openpty()
    (deployment.folder / "state").mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("placed"),
        *arguments,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HOME": str(deployment.folder),
            "STATE_DIRECTORY": str(deployment.folder / "state"),
            "TERM": "xterm",
            "COLUMNS": "120",
        },
    )
    os.close(follower)
    shown = bytearray()
    changed = asyncio.Condition()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def notify() -> None:
        async with changed:
            changed.notify_all()

    notices: set[asyncio.Task[None]] = set()

    def take() -> None:
        try:
            shown.extend(os.read(leader, 65536))
        except OSError:  # EIO: nobody has the other side any more
            loop.remove_reader(leader)
            ended.set()
        notices.add(asyncio.create_task(notify()))

    loop.add_reader(leader, take)
    try:
        async with asyncio.timeout(DEADLINE):
            begin = 0
            for question, answer in answers or []:
                async with changed:
                    await changed.wait_for(lambda: question.encode() in shown[begin:] or ended.is_set())  # noqa: B023
                begin = len(shown)
                os.write(leader, f"{answer}\n".encode())
            assert await process.wait() == code, shown.decode()
            await ended.wait()
    finally:
        loop.remove_reader(leader)
        os.close(leader)
        if process.returncode is None:
            process.kill()
            await process.wait()
    return shown.decode()
