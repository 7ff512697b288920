"""The service `placed` in a box, in the hands of an administrator."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final, Self

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.end_to_end.systemd.debian_container import Box

DROPIN: Final = "run/systemd/system/placed.service.d/test.conf"


class Service:
    """`systemctl` and `journalctl`, on the one unit that matters here."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Put a file into the box, as an administrator would with `install`."""
        file = self.box.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    def override(self, lines: str) -> None:
        """Change settings of the unit, until the test is over."""
        self.write(DROPIN, f"[Service]\n{lines}\n")
        self.box.run("systemctl", "daemon-reload")

    def start(self) -> None:
        """`systemctl start`, which returns when the service reports that it is ready."""
        started = self.box.try_run("systemctl", "start", "placed")
        assert started.returncode == 0, "\n".join([started.stderr, *self.journal()])

    def show(self) -> Mapping[str, str]:
        """The properties of the unit."""
        lines = self.box.run("systemctl", "show", "--all", "placed").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def wait_for(self, wanted: Callable[[Mapping[str, str]], bool]) -> Mapping[str, str]:
        """Return the unit's properties as soon as they are as wanted.

        Raises:
            AssertionError: They were not within the deadline.
        """
        deadline = time.monotonic() + DEADLINE
        while not wanted(shown := self.show()):
            state = {key: shown[key] for key in ("ActiveState", "SubState", "StatusText", "Result")}
            assert time.monotonic() < deadline, f"still {state}:\n{self.journal()}"
        return shown

    def journal(self) -> list[str]:
        """What the service itself has written to the journal since the test began, a line each."""
        self.box.run("journalctl", "--sync")
        entries = self.box.run(
            "journalctl", "--output=json", f"--since=@{self._begun:.6f}", "_SYSTEMD_UNIT=placed.service"
        )
        return [json.loads(entry)["MESSAGE"] for entry in entries.splitlines()]

    def __enter__(self) -> Self:
        self._begun = time.time()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the box as if the service had never run."""
        self.box.try_run("systemctl", "stop", "placed")
        self.box.try_run("systemctl", "reset-failed", "placed")
        self.box.run("rm", "-rf", "/etc/placed", "/var/lib/private/placed", f"/{DROPIN}")
        self.box.run("systemctl", "daemon-reload")
