"""Keeps a daemon running as systemd would, and judges how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from signal import Signals

HOUSE = Path(__file__).resolve().parents[2]
CANNOT_START = 3
_KEPT = ("PATH", "PYTHONPATH", "LANG", "TZ")
_AGAIN = 0.1  # seconds from its end to its next start


class Unit:
    """One daemon after the other.

    Args:
        folder: where its state and its log go.
        arguments: of the module.
        complain: is called with what it should not have done.
        module: that is run.
        environment: is added to what it finds of ours.
    """

    def __init__(
        self,
        folder: Path,
        arguments: list[str],
        complain: Callable[[str], None],
        module: str = "tests.fault_injection.daemon_process",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.state_directory = folder / "state"
        self.starts = 0
        self.reconnects = 0  # to the broker, of all daemons together
        self.refused_reloads = 0  # the same
        self.last_lines: deque[str] = deque(maxlen=25)
        self.listening = asyncio.Event()  # it minds signals
        self.url: str | None = None  # of its status endpoint, while it listens
        self.log = folder / "daemon.log"
        self._module = module
        self._environment = environment or {}
        self._arguments = arguments
        self._complain = complain
        self._process: asyncio.subprocess.Process | None = None
        self._expected: set[int] = set()
        self._stopped = False
        self._held = asyncio.Event()
        self._held.set()
        self.ended = asyncio.Event()
        self.stands_still = False  # it was sent SIGSTOP
        self.code: int | None = None  # of the last that ended
        self._ended_at: float | None = None

    @property
    def pid(self) -> int | None:
        """Of the daemon; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def absent_for(self) -> float:
        """Seconds since the last daemon ended; 0 while one listens, or before there was any."""
        return 0.0 if self._ended_at is None else time.monotonic() - self._ended_at

    async def run(self) -> None:
        """For ever; kills it in the end."""
        try:
            while not self._stopped:
                await self._held.wait()
                await self._live()
                await asyncio.sleep(_AGAIN)
        finally:
            self._signal(SIGKILL)
            if self._process is not None:
                await self._process.wait()

    def send_signal(self, number: Signals, *expected: int) -> None:
        """Sends a signal; these are the exit codes that it may have then."""
        self._expected |= set(expected)
        self._signal(number)

    def hold(self) -> None:
        """It is not started again, should it end."""
        self._held.clear()

    def release(self) -> None:
        """It is again."""
        self._held.set()

    def expect(self, *codes: int) -> None:
        """It may end by itself now."""
        self._expected |= set(codes)

    def expect_nothing(self) -> None:
        """It may no more."""
        self._expected.clear()

    def _signal(self, number: Signals) -> None:
        if number in (SIGSTOP, SIGCONT):
            self.stands_still = number is SIGSTOP
        if self.pid is not None and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def start_another(self, within: float) -> tuple[int | None, str]:
        """A second daemon on the same state directory: its exit code, and its output."""
        process = await self._start()
        try:
            async with asyncio.timeout(within):
                _, output = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode, output.decode(errors="replace")

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self._module,
            *self._arguments,
            cwd=HOUSE,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
            env={
                **{name: os.environ[name] for name in _KEPT if name in os.environ},
                **self._environment,
                "STATE_DIRECTORY": str(self.state_directory),
            },
        )

    async def _live(self) -> None:
        self.starts += 1
        self.state_directory.mkdir(exist_ok=True)
        process = await self._start()
        # At once: who kills while there is no process yet must not wait for the end of this one.
        self._process = process
        self.stands_still = False
        self.ended.clear()
        self._expected.clear()
        assert process.stderr is not None
        with self.log.open("a") as log:
            async for line in process.stderr:
                text = line.decode(errors="replace").rstrip()
                log.write(text + "\n")
                log.flush()
                self._read(text)
        code = await process.wait()
        self.code = code
        self.listening.clear()
        self.url = None
        self._ended_at = self._ended_at or time.monotonic()
        if code not in self._expected:
            self._complain(f"the daemon ended by itself with exit code {code}")
        self._expected.clear()
        self.ended.set()

    def _read(self, text: str) -> None:
        self.last_lines.append(text)
        entry: dict[str, Any] = {}
        with suppress(ValueError):
            entry = json.loads(text)
        event = entry.get("event", "")
        if event in ("http.is_listening", "http.is_off"):
            self.listening.set()
            self._ended_at = None
            self.url = entry.get("url")
        elif event == "configuration.stays":
            self.refused_reloads += 1
        elif event == "broker.connected":
            self.reconnects += entry.get("connections", 1) > 1
        if "Traceback" in text or "exception" in entry or not entry:
            self._complain(f"its log has {text[:2000]}")
