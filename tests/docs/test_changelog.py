"""The version, its date in the changelog, and the date that a clock cannot be before are raised together."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from placed.domain.release_date import RELEASED

ROOT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?P<rest>.*)$", re.MULTILINE)
DATE = re.compile(r" - (\d{4}-\d{2}-\d{2})")


def disagreements(changelog: str, version: str, released: datetime) -> list[str]:
    """What does not agree. Before the first release there is no section but `Unreleased`."""
    sections = [(found["version"], found["rest"]) for found in HEADING.finditer(changelog)]
    dated = [(name, DATE.fullmatch(rest)) for name, rest in sections if name != "Unreleased"]
    found = [f"[{name}] has no date" for name, date in dated if date is None]
    if not sections:
        found.append("there is no section")
    if not dated or dated[0][1] is None:
        return found
    newest, date = dated[0][0], dated[0][1][1]
    if newest != version:
        found.append(f"pyproject.toml has version {version}, the changelog {newest}")
    if f"{released:%Y-%m-%d}" != date:
        found.append(f"release_date.py has {released:%Y-%m-%d}, the changelog {date}")
    return found


def test_version_date_and_changelog_agree() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert disagreements((ROOT / "CHANGELOG.md").read_text("utf-8"), version, RELEASED) == []


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ("## [Unreleased]\n", []),
        ("## [Unreleased]\n## [0.2.0] - 2027-01-08\n## [0.1.0] - 2026-12-01\n", []),
        ("## [0.2.0] - 2027-01-08\n", []),
        ("", ["there is no section"]),
        ("## [Unreleased]\n## [0.2.0]\n", ["[0.2.0] has no date"]),
        (
            "## [0.3.0] - 2027-02-01\n## [0.2.0] - 2027-01-08\n",
            [
                "pyproject.toml has version 0.2.0, the changelog 0.3.0",
                "release_date.py has 2027-01-08, the changelog 2027-02-01",
            ],
        ),
    ],
)
def test_a_release_that_forgets_one_of_the_three_is_reported(sections: str, expected: list[str]) -> None:
    assert disagreements(sections, "0.2.0", datetime(2027, 1, 8, tzinfo=UTC)) == expected
