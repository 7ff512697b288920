"""A box: a throw-away Debian with a real systemd in it, to try a unit as a building server would run it."""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.end_to_end.systemd.debian_image import NoBoxError, image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BOOT: Final = Path(__file__).with_name("boot-container")
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_DEADLINE: Final = 60.0
COMMAND_DEADLINE: Final = 120.0


class Box:
    """A booted box. It shares the network of the tests, and nothing else.

    Its file system is the image with a layer of its own on top, so no box sees what another one did.
    """

    def __init__(self, init: int) -> None:
        self._init = init

    @property
    def root(self) -> Path:
        """The box's `/`, to read and write its files from outside."""
        return Path(f"/proc/{self._init}/root")

    @classmethod
    @contextmanager
    def booted(cls) -> Iterator[Self]:
        """Boot a box, hand it out once its systemd reports that the boot is over, and delete it.

        Raises:
            NoBoxError: This machine can make none.
        """
        debian = image()
        with (
            tempfile.TemporaryDirectory(prefix="placed-box-") as scratch,
            _ReadySocket() as ready,
            subprocess.Popen(
                # pdeathsig: the box must not outlive the tests, however they end.
                ["setpriv", "--pdeathsig", "KILL", "--", BOOT, debian, scratch],
                env={"PATH": PATH, "NOTIFY_SOCKET": ready.address},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            ) as booting,
        ):
            try:
                yield cls(ready.wait(booting))
            finally:
                booting.kill()

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command in the box and return what it printed.

        Raises:
            AssertionError: It failed; with its output.
        """
        done = self.try_run(*command, env=env)
        output = f"{done.stdout}{done.stderr}"
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{output}"
        return done.stdout

    def try_run(
        self, *command: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the box that may fail."""
        return subprocess.run(
            [*self._enter, *command],
            env={"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **(env or {})},
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
            timeout=COMMAND_DEADLINE,
        )

    @property
    def _enter(self) -> tuple[str, ...]:
        spaces = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd")
        return ("nsenter", f"--target={self._init}", *spaces, "--")


class _ReadySocket:
    """Where the box's systemd reports the end of its boot, as to the manager of a container."""

    def __init__(self) -> None:
        self.address = f"@placed-box-{os.getpid()}-{id(self)}"

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + self.address.removeprefix("@"))
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait(self, booting: subprocess.Popen[str]) -> int:
        """Return the process id, seen from outside, of the systemd that has sent READY=1."""
        credentials = struct.Struct("iII")
        ended = os.pidfd_open(booting.pid)
        try:
            while True:
                news, _, _ = select.select([self._socket.fileno(), ended], [], [], BOOT_DEADLINE)
                if ended in news:
                    output = booting.stderr.read().strip() if booting.stderr else ""
                    raise NoBoxError(f"it could not be booted: {output}")
                if not news:
                    raise TimeoutError(f"the box was not up after {BOOT_DEADLINE:.0f} s")
                message, attached, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(credentials.size))
                if b"READY=1" in message.splitlines():
                    sender: int = credentials.unpack(attached[0][2])[0]
                    return sender
        finally:
            os.close(ended)
            # It goes on reporting each job, and would block once nobody reads that.
            self._socket.close()
