"""Rules for every file of the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.architecture.import_graph import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Of root's home only what is in the box of the tests of systemd.
_OWN_PLACES = re.compile(r"(?<![\w.$}-])/(?:work|root|home/\w+|Users/\w+)/")
_BOX = "tests/end_to_end/systemd/"
_MIRROR = re.compile(
    r"""(?:index-url|index_url|extra-index|find-links|UV_INDEX\w*|UV_DEFAULT_INDEX|PIP_INDEX_URL|GOPROXY)"""
    r"""["']?\s*[=:]\s*["']?\w+://""",
    re.IGNORECASE,
)


def tracked() -> list[Path]:
    """Every file of the repository."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git, or no checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True)
    if listed.returncode != 0:
        pytest.skip(f"git: {listed.stderr.strip()}")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_place_on_somebodys_own_machine() -> None:
    reported = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
            found = _OWN_PLACES.search(line)
            if found and not (name.startswith(_BOX) and found[0].startswith("/root")):
                reported.append(f"{name}:{number}: {found[0]}")
            if _MIRROR.search(line):
                reported.append(f"{name}:{number}: an index of its own")
    assert reported == []


def test_the_lock_file_names_only_the_public_index() -> None:
    lock = (ROOT / "uv.lock").read_text("utf-8")
    assert set(re.findall(r"\w+://([^/\"\s]+)", lock)) == {"pypi.org", "files.pythonhosted.org"}
    assert set(re.findall(r"registry = \"([^\"]+)\"", lock)) == {"https://pypi.org/simple"}
