"""The command `placed`, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator, Mapping

_KEPT = ("PATH", "PYTHONPATH", "COVERAGE_PROCESS_START")  # of our own environment


class Program:
    """A running `placed …`; its lines on stdout and stderr are kept."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.out: list[str] = []
        self.err: list[str] = []
        self._line_added = asyncio.Condition()
        assert process.stdout is not None
        assert process.stderr is not None
        self._reading = [
            asyncio.create_task(self._read(process.stdout, self.out)),
            asyncio.create_task(self._read(process.stderr, self.err)),
        ]

    @classmethod
    @asynccontextmanager
    async def start(
        cls, folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[Self]:
        """Starts it with its state and its temporary files in the folder; kills it at the end, if need be."""
        for name in ("state", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("placed"),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
            env={
                **{name: os.environ[name] for name in _KEPT if name in os.environ},
                "HOME": str(folder),
                "STATE_DIRECTORY": str(folder / "state"),
                "TMPDIR": str(folder / "tmp"),
                "COLUMNS": "200",
                **(environment or {}),
            },
        )
        program = cls(process)
        try:
            yield program
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await asyncio.wait(program._reading)

    @property
    def logs(self) -> list[Any]:
        """What it has logged, if the log's format is JSON."""
        return [json.loads(line) for line in self.err]

    async def wait_for_line(self, *words: str, after: int = 0) -> str:
        """The first line with all these words, on whichever stream, as soon as it is there."""
        async with asyncio.timeout(DEADLINE), self._line_added:
            while True:
                for line in (*self.out, *self.err[after:]):
                    if all(word in line for word in words):
                        return line
                if all(task.done() for task in self._reading):
                    raise AssertionError("\n".join(["placed has ended", *self.out, *self.err]))
                await self._line_added.wait()

    async def logged(self, event: str, **wanted: object) -> Any:
        """The first entry of a log in JSON with this event and these values, as soon as it is there."""
        async with asyncio.timeout(DEADLINE), self._line_added:
            seen = 0
            while True:
                for line in self.err[seen:]:
                    entry = json.loads(line)
                    if entry["event"] == event and wanted.items() <= entry.items():
                        return entry
                seen = len(self.err)
                if all(task.done() for task in self._reading):
                    raise AssertionError("\n".join(["placed has ended", *self.out, *self.err]))
                await self._line_added.wait()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ends(self, within: float = DEADLINE) -> int:
        """The exit code, as soon as it has ended and all its output is read."""
        async with asyncio.timeout(within):
            code = await self.process.wait()
            await asyncio.gather(*self._reading)
        return code

    async def _read(self, stream: asyncio.StreamReader, into: list[str]) -> None:
        async for line in stream:
            async with self._line_added:
                into.append(line.decode().rstrip("\n"))
                self._line_added.notify_all()
        async with self._line_added:
            self._line_added.notify_all()


async def run(
    folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> tuple[int, Program]:
    """Runs it to its end."""
    async with Program.start(folder, *arguments, environment=environment) as program:
        return await program.ends(), program
