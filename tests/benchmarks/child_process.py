"""The other process: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from tests.benchmarks.processor_time import unsettled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType


class Child:
    """A module of the benchmarks that runs as a process of its own, on the other core.

    Its first report, when it is up, is in `begun`.

    Args:
        module: to run, such as `tests.benchmarks.servers.graph`.
        arguments: for its command line.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        with unsettled():
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        self.begun = self._listen()

    def ask(self, command: str, **more: Any) -> Any:
        """Sends a command and returns the answer. Blocks, so it is for commands that take little time."""
        self.send(command, **more)
        return self._listen()

    def send(self, command: str, **more: Any) -> None:
        """Sends a command. `hear` returns the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"command": command, **more}).encode() + b"\n")
        self._process.stdin.flush()

    async def hear(self) -> Any:
        """Returns its next report, without blocking other tasks."""
        return await asyncio.to_thread(self._listen)

    def _listen(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} has ended")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def report(document: Any) -> None:
    """The child's side: writes one line."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


async def obey(answer: Callable[[dict[str, Any]], Awaitable[Any]]) -> None:
    """The child's side: answers commands until there are no more."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(0, "rb", buffering=0)
    )
    async for line in lines:
        report(await answer(json.loads(line)))
