"""What scripts/test selects by marker in some folders only is in no other folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = (ROOT / "scripts" / "test").read_text("utf-8")


@pytest.mark.parametrize(
    ("marker", "selection"), [("alone", "-m 'alone and not long'"), ("campaign", "-m campaign")]
)
def test_each_marked_test_is_in_a_folder_that_is_searched(marker: str, selection: str) -> None:
    (line,) = (line for line in SCRIPT.splitlines() if f"pytest {selection}" in line)
    folders = re.findall(r"tests/[\w/]+", line)
    marked = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if f"pytest.mark.{marker}" in (text := path.read_text("utf-8"))
        and path != Path(__file__)
        # Long ones are run by scripts/test-long.
        and len(re.findall(rf"pytest.mark.{marker}\b", text))
        != len(re.findall(rf"pytest.mark.{marker}\n@pytest.mark.long", text))
    ]
    assert marked
    assert [path for path in marked if not any(path.startswith(f"{folder}/") for folder in folders)] == []
