"""Installs placed in a box as systemd/README.md tells an administrator to, at the versions of uv.lock."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.systemd.box import Box

REPOSITORY = Path(__file__).parents[2]


def install(box: Box, folder: Path) -> None:
    """Build the wheel, and put it into /opt/placed of the box; `folder` is for what is made on the way."""
    venv = "/opt/placed"
    box.run("python3", "-m", "venv", venv)
    python = box.run(f"{venv}/bin/python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()

    # What placed depends on comes out of uv's cache, for the box's Python: quick, and the same everywhere.
    _uv("export", "--frozen", "--no-dev", "--no-emit-project", f"--output-file={folder}/requirements.txt")
    _uv(
        "pip",
        "install",
        "--require-hashes",
        "--only-binary=:all:",
        "--link-mode=copy",
        f"--python-version={python}",
        f"--python-platform={platform.machine()}-manylinux_2_36",
        f"--requirements={folder}/requirements.txt",
        f"--target={box.root}{venv}/lib/python{python}/site-packages",
    )
    _uv("build", "--wheel", f"--out-dir={folder}")
    wheel = next(folder.glob("*.whl"))
    (box.root / "root" / wheel.name).write_bytes(wheel.read_bytes())
    box.run(f"{venv}/bin/pip", "install", "--no-index", f"/root/{wheel.name}")
    box.run(f"{venv}/bin/python", "-m", "compileall", "-q", "-j0", f"{venv}/lib")
    box.run("ln", "-s", f"{venv}/bin/placed", "/usr/bin/placed")

    unit = box.root / "etc/systemd/system/placed.service"
    unit.write_text((REPOSITORY / "systemd/placed.service").read_text())
    box.run("systemctl", "daemon-reload")


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [uv, "--quiet", *arguments], cwd=REPOSITORY, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
