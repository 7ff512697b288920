"""The command `placed` at a terminal: it asks questions there, or fills the screen."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import struct
import sys
import termios
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator, Mapping

    from tests.support.deployment import Deployment

_HOME = "\x1b[H"
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9])")
_KEPT = ("PATH", "PYTHONPATH", "COVERAGE_PROCESS_START")


class Terminal:
    """A `placed …` that fills a terminal. `raw` is all that it wrote there."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self.raw = ""
        self._master = master
        self._wrote = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        folder: Path,
        *arguments: str | Path,
        size: tuple[int, int] = (120, 30),
        environment: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Self]:
        """Starts it at a terminal of (columns, lines); kills it at the end, if need be."""
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("placed"),
            *arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is for it
            env={
                **{name: os.environ[name] for name in _KEPT if name in os.environ},
                "HOME": str(folder),
                "TERM": "xterm-256color",
                **(environment or {}),
            },
        )
        os.close(slave)
        terminal = cls(process, master)
        try:
            yield terminal
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            asyncio.get_running_loop().remove_reader(master)
            os.close(master)

    @property
    def screen(self) -> list[str]:
        """The lines that are seen now; of what is being drawn, as far as it is."""
        drawn = self.raw.rpartition(_HOME)[2]
        return [line.rstrip() for line in _SEQUENCE.sub("", drawn).replace("\r", "").split("\n")]

    async def shows(self, *words: str) -> str:
        """The first line on the screen with all these words, as soon as it is there."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for line in self.screen:
                    if all(word in line for word in words):
                        return line
                self._wrote.clear()
                await self._wrote.wait()

    def resize(self, columns: int, lines: int) -> None:
        """The window gets another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """As on the keyboard."""
        os.write(self._master, b"\x03")

    async def ends(self) -> int:
        """The exit code, as soon as it has ended."""
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()

    def _read(self) -> None:
        try:
            self.raw += os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # EIO: the other side has gone
            asyncio.get_running_loop().remove_reader(self._master)
        self._wrote.set()


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
