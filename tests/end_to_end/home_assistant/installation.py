"""A Home Assistant to try discovery on: installed once, in an environment of its own, in the user's cache.

It wants other versions of what placed stands on, so the two never share an environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")
PYTHONS: Final = ((3, 11), (3, 12))  # what this version of Home Assistant runs on


class NoHomeAssistantError(Exception):
    """Home Assistant cannot be installed here; the message gives the reason."""


def python() -> Path:
    """The interpreter that has Home Assistant, which is installed if this machine has none yet.

    Raises:
        NoHomeAssistantError: It cannot be installed here.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    made = _cache() / wanted
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs must not make it at the same time
        if not made.exists():
            _make(made)
    return made / "bin" / "python"


def _cache() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "placed-tests" / "home-assistant"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _make(made: Path) -> None:
    uv = _beside_us("uv")
    half_made = made.with_suffix(".partial")
    shutil.rmtree(half_made, ignore_errors=True)
    # It may be moved into its place when it is whole.
    _run(uv, "venv", "--relocatable", "--python", _base(), half_made)
    _run(uv, "pip", "install", "--python", half_made / "bin" / "python", "--requirement", REQUIREMENTS)
    half_made.rename(made)


def _base() -> str:
    if sys.version_info[:2] in PYTHONS:
        return sys.executable
    for major, minor in PYTHONS:
        if found := shutil.which(f"python{major}.{minor}"):
            return found
    names = " or ".join(f"{major}.{minor}" for major, minor in PYTHONS)
    raise NoHomeAssistantError(f"it needs Python {names}")


def _beside_us(program: str) -> str:
    beside = Path(sys.executable).with_name(program)
    if beside.exists():
        return str(beside)
    raise NoHomeAssistantError(f"there is no {program} beside {sys.executable}")


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"},
    )
    if done.returncode:
        output = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()] or ["no output"]
        raise NoHomeAssistantError(f"{Path(command[0]).name} failed: {output[-1].strip()}")
