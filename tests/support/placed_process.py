"""The command `placed`, as a process of its own."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support import imported_placed
from tests.support.deadlines import DEADLINE
from tests.support.machine_delay import MachineDelay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_KEPT = ("PATH", "PYTHONPATH", "COVERAGE_PROCESS_START")  # of our own environment
# What may be set otherwise for a process that is forked from one that has started already; any other variable
# may be read by Python or a library when it starts.
_READ_LATE = ("PLACED_", "COLUMNS", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET")
_COMMAND = str(Path(sys.executable).with_name("placed"))
_LIMIT = 2**20  # bytes of a line


class Forked:
    """A placed forked from a process that has imported it; used as an `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, reports: Pipe, stdout: Pipe, stderr: Pipe) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout, self.stderr = stdout.reader, stderr.reader
        self._pipes = reports, stdout, stderr
        self._ending = asyncio.create_task(self._end(reports))

    @classmethod
    async def start(cls, arguments: list[str], environment: Mapping[str, str]) -> Forked:
        """Starts `placed` with these arguments and this environment, in the current folder."""
        request = {"arguments": arguments, "environment": dict(environment), "folder": str(Path.cwd())}
        readers, writers = zip(*(os.pipe() for _ in range(3)), strict=True)
        stdin = os.open(os.devnull, os.O_RDONLY)
        try:
            socket.send_fds(_imported(), [json.dumps(request).encode()], [stdin, *writers])
        finally:
            for descriptor in (stdin, *writers):
                os.close(descriptor)
        out, err, reports = [await Pipe.open(descriptor) for descriptor in readers]
        return cls(int(await reports.reader.readline()), reports, out, err)

    async def wait(self) -> int:
        """The return code, as soon as it has ended."""
        return await asyncio.shield(self._ending)

    def send_signal(self, number: signal.Signals) -> None:
        """Sends it, unless the process has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):  # it has ended just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    async def close(self) -> None:
        """Closes its pipes, after its end."""
        for pipe in self._pipes:
            await pipe.close()

    async def _end(self, reports: Pipe) -> int:
        self.returncode = int(await reports.reader.readline())
        return self.returncode


class Pipe(asyncio.StreamReaderProtocol):
    """The end of a pipe that is read."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader(limit=_LIMIT)
        super().__init__(self.reader)
        self._lost = asyncio.Event()

    @classmethod
    async def open(cls, descriptor: int) -> Pipe:
        file = os.fdopen(descriptor, "rb", buffering=0)
        pipe = cls()
        await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, file)
        return pipe

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opened = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost.set()

    async def close(self) -> None:
        self._opened.close()
        await self._lost.wait()


@cache
def _imported() -> socket.socket:
    """Starts the process that has imported placed. It ends when this one closes the socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, imported_placed.__file__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=_environment(),
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


class Program:
    """A running `placed …`; its lines on stdout and stderr are kept."""

    def __init__(self, process: asyncio.subprocess.Process | Forked) -> None:
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
        cls,
        folder: Path,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> AsyncIterator[Self]:
        """Starts it with its state and its temporary files in the folder; kills it at the end, if need be.

        With `fresh`, or where a variable requires it, Python starts as well; otherwise placed is forked from
        a process that has imported it.
        """
        for name in ("state", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        more = environment or {}
        variables = {
            **_environment(),
            "HOME": str(folder),
            "STATE_DIRECTORY": str(folder / "state"),
            "TMPDIR": str(folder / "tmp"),
            "COLUMNS": "200",
            **more,
        }
        process: asyncio.subprocess.Process | Forked
        if fresh or "COVERAGE_PROCESS_START" in variables or not all(n.startswith(_READ_LATE) for n in more):
            process = await asyncio.create_subprocess_exec(
                _COMMAND,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LIMIT,
                env=variables,
            )
        else:
            process = await Forked.start([_COMMAND, *map(str, arguments)], variables)
        program = cls(process)
        try:
            yield program
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await asyncio.wait(program._reading)
            if isinstance(process, Forked):
                await process.close()

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
        """The exit code, as soon as it has ended and all its output is read.

        Args:
            within: seconds, not counting those in which it waited for a processor.
        """
        delay, begun = MachineDelay(lambda: [self.process.pid]), time.monotonic()
        ending = asyncio.create_task(self.process.wait())
        while not ending.done():
            if time.monotonic() - begun - delay.seconds() > within:
                ending.cancel()
                raise TimeoutError(f"it runs on after {within} s")
            await asyncio.wait([ending], timeout=0.05)
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*self._reading)
        return await ending

    async def _read(self, stream: asyncio.StreamReader, into: list[str]) -> None:
        async for line in stream:
            async with self._line_added:
                into.append(line.decode().rstrip("\n"))
                self._line_added.notify_all()
        async with self._line_added:
            self._line_added.notify_all()


async def run(
    folder: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None, fresh: bool = False
) -> tuple[int, Program]:
    """Runs it to its end."""
    async with Program.start(folder, *arguments, environment=environment, fresh=fresh) as program:
        return await program.ends(), program
