"""The interpreter that has the peers: installed once, in an environment of its own, below `.tools`.

They want other versions of what placed stands on, and nobody who uses placed is to get them.
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
FOLDER: Final = Path(__file__).parents[3] / ".tools" / "peers"


class NoPeersError(Exception):
    """The peers cannot be installed here; the message gives the reason."""


def python() -> Path:
    """The interpreter that has the peers, which are installed if they are not there yet.

    Raises:
        NoPeersError: They cannot be installed here.
    """
    # An environment of one version of Python does not work with another.
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    made = FOLDER / wanted
    FOLDER.mkdir(parents=True, exist_ok=True)
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs must not make it at the same time
        if not made.exists():
            _make(made)
    return made / "bin" / "python"


def _make(made: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise NoPeersError(f"there is no uv beside {sys.executable}")
    half_made = made.with_suffix(".partial")
    shutil.rmtree(half_made, ignore_errors=True)
    # It may be moved into its place when it is whole.
    _run(uv, "venv", "--relocatable", "--python", sys.executable, half_made)
    _run(uv, "pip", "install", "--python", half_made / "bin" / "python", "--requirement", REQUIREMENTS)
    half_made.rename(made)


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
        raise NoPeersError(f"{Path(command[0]).name} failed: {output[-1].strip()}")
