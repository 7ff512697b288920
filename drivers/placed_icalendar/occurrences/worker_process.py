"""The worker as the daemon sees it: a process with a budget, which is started when it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.calendar_text.malformed import Malformed, OverBudget
from placed_icalendar.occurrences.process_use import process_use
from placed_icalendar.occurrences.worker_messages import LENGTH, Refused, Reply, Same, reply_in, task_for

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from placed_icalendar.occurrences.contents import Contents, Window

_LOOK = 0.1  # seconds between looks at what the worker uses
_PIECE = 1 << 18  # bytes written at once
# What the worker needs of the environment. It has no use for the daemon's secrets and settings.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONTZPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL")
_MALLOC = "MALLOC_"


class Budget(msgspec.Struct, frozen=True):
    """What one reading may take.

    Attributes:
        seconds: of processor time. A machine with other work to do takes longer by the clock.
        clock: seconds by the clock, including those in which the worker does not get to run.
        memory: bytes.
        idle: seconds without a task, after which the worker ends.
    """

    seconds: float = 5
    clock: float = 30
    memory: int = 256 << 20
    idle: float = 300


class WorkerProcess:
    """Reads calendars in a process that can be killed.

    Tasks are done one after another. The process starts with the first one, and again after it was killed.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        self._process: Process | None = None
        self._busy = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process; None if none runs."""
        return None if self._process is None else self._process.pid

    async def read(
        self, bodies: Sequence[bytes], window: Window, zone: str, known: bytes | None
    ) -> Contents | None:
        """Returns what the bodies contain; None if their digest is `known`.

        Args:
            bodies: each a whole iCalendar stream.
            window: what is asked.
            zone: IANA name of the window's zone.
            known: the digest of an earlier reading.

        Raises:
            Malformed: they are not understood. OverBudget: reading them took too much time or memory, or the
                process does not work.
        """
        async with self._busy:
            self._stop_timer()
            task = task_for(window, zone, known, tuple(len(body) for body in bodies))
            try:
                reply = await self._reply([task, *bodies])
            except BaseException:
                # What is in the pipes belongs to this task, so the next one needs a new process.
                await self._kill()
                raise
            if isinstance(reply, Refused) and reply.over_budget:
                await self._kill()
            else:
                self._timer = asyncio.get_running_loop().call_later(self._budget.idle, self._end_idle)
        if isinstance(reply, Refused):
            kind = OverBudget if reply.over_budget else Malformed
            raise kind(reply.what, reply.line, reply.property_name)
        return None if isinstance(reply, Same) else reply.contents

    async def close(self) -> None:
        """Ends the process."""
        async with self._busy:
            self._stop_timer()
            await self._kill()

    async def _reply(self, parts: list[bytes]) -> Reply:
        """Sends a task and waits for its reply, once more if the process has ended in the meantime."""
        used_before = self._process is not None
        process = self._process = self._process or await self._start()
        exchange = asyncio.create_task(self._exchange(process, parts))
        try:
            await self._watch(process, exchange)
            return reply_in(exchange.result())
        except (OSError, EOFError, msgspec.DecodeError):
            await self._kill()
            if used_before:
                return await self._reply(parts)
            raise OverBudget(
                f"the process that reads calendars ended with status {process.returncode}"
            ) from None
        finally:
            exchange.cancel()

    async def _exchange(self, process: Process, parts: list[bytes]) -> bytes:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        for part in parts:
            for begin in range(0, len(part), _PIECE):
                process.stdin.write(part[begin : begin + _PIECE])
                await process.stdin.drain()
        length = await process.stdout.readexactly(LENGTH)
        return await process.stdout.readexactly(int.from_bytes(length, "big"))

    async def _watch(self, process: Process, exchange: asyncio.Task[bytes]) -> None:
        """Waits for the exchange to end.

        Raises:
            OverBudget: it does not end within the budget.
        """
        budget = self._budget
        loop = asyncio.get_running_loop()
        before = process_use(process.pid)
        latest = loop.time() + (budget.seconds if before is None else budget.clock)
        while not exchange.done():
            await asyncio.wait({exchange}, timeout=_LOOK)
            used = process_use(process.pid)
            if exchange.done():
                return
            if used is not None and used.memory > budget.memory:
                raise OverBudget(f"reading it takes more than {budget.memory >> 20} MiB of memory")
            spent = 0.0 if used is None or before is None else used.seconds - before.seconds
            if spent > budget.seconds or loop.time() > latest:
                raise OverBudget(f"reading it takes more than {budget.seconds:g} s")

    async def _start(self) -> Process:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _ENVIRONMENT or name.startswith(_MALLOC)
        }
        # -I where the daemon runs so, as in the Debian package: PYTHONPATH is not in effect here, either.
        isolation = "-I" if sys.flags.isolated else "-P"
        limit = 2 * self._budget.memory + (256 << 20)  # of addresses, of which a process uses a part
        command = (sys.executable, isolation, "-m", "placed_icalendar.occurrences.worker", str(limit))
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=kept,
            )
        except OSError as error:
            raise OverBudget(f"the process that reads calendars does not start: {error.strerror}") from None

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None  # noqa: S101
        if process.returncode is None:
            # Not `process.kill`: it would also wait for a process that has just ended, and asyncio, which
            # waits as well, would log that it does not know the process.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        process.stdin.close()
        await process.wait()

    def _end_idle(self) -> None:
        """Ends the process by closing its input. It has no task, or the timer would have been stopped."""
        process, self._process, self._timer = self._process, None, None
        if process is not None and process.stdin is not None:
            process.stdin.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
