"""The file system that every box starts from: made once, kept in the user's cache, never written to again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

RELEASE: Final = "bookworm"
PACKAGES: Final = ("ca-certificates", "dbus", "python3", "python3-venv", "systemd", "systemd-sysv")
TOOLS: Final = ("apt-get", "debootstrap", "nsenter", "setpriv", "unshare")


class NoBoxError(Exception):
    """The box cannot be made here; the message gives the reason."""


def cache() -> Path:
    """The folder of what is dear to make and the same in every run."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "placed-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def image() -> Path:
    """Return the root of a Debian with systemd and Python, making it if this machine has none yet.

    Raises:
        NoBoxError: It cannot be made here.
    """
    if os.geteuid() != 0:
        raise NoBoxError("a box needs root")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise NoBoxError(f"a box needs {', '.join(missing)}")
    recipe = hashlib.sha256(repr((RELEASE, PACKAGES)).encode()).hexdigest()[:12]
    made = cache() / f"{RELEASE}-{recipe}"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs must not make it at the same time
        if not made.exists():
            _make(made)
    return made


def _make(made: Path) -> None:
    half_made = made.with_suffix(".partial")
    shutil.rmtree(half_made, ignore_errors=True)
    done = subprocess.run(
        [
            # Its mounts end with it, also if it is killed; a /proc that stays cannot be removed.
            *("unshare", "--mount"),
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join(PACKAGES)}",
            RELEASE,
            half_made,
            _archive(),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        output = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise NoBoxError(f"debootstrap failed: {output[-1]}")
    half_made.rename(made)


def _archive() -> str:
    """The Debian archive that this machine itself installs from: a mirror near to it, or reachable at all."""
    listed = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
            "Label: Debian",
            "Component: main",
        ],
        check=False,
        capture_output=True,
        text=True,
    ).stdout.split()
    if not listed:
        raise NoBoxError("apt knows no Debian archive (has `apt-get update` been run?)")
    return listed[0]
