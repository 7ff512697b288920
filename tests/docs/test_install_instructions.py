"""The ways to install that the pages give work on a Debian 12 as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "systemd" / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
_PIP = re.compile(r"^ {4}(.*\bpip3? install\b.*)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_nothing_is_installed_with_the_pip_of_the_system(page: Path) -> None:
    """Debian 12 refuses that: `error: externally-managed-environment` (PEP 668)."""
    for command in _PIP.findall(page.read_text("utf-8")):
        folder, _, _ = command.strip().partition("/bin/pip ")
        assert folder != command.strip(), command
        assert f"python3 -m venv {folder}" in page.read_text("utf-8"), command


def test_the_readme_names_the_package_and_a_virtual_environment() -> None:
    install = (
        (REPOSITORY / "README.md").read_text("utf-8").partition("\n## Install\n")[2].partition("\n## ")[0]
    )
    for command in ("apt-get install ./dist/placed_*.deb", "python3 -m venv", "apt-get install python3-venv"):
        assert command in install


def test_the_removal_instructions_mention_retained_messages() -> None:
    control = REPOSITORY / "systemd" / "debian" / "control"
    assert "retained messages stay on the broker" in (control / "postrm").read_text()
    assert "placed disconnect NAME" in (control / "prerm").read_text()
    assert "placed disconnect NAME" in (REPOSITORY / "systemd" / "README.md").read_text("utf-8")
