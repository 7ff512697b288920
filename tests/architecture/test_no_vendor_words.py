"""placed names no vendor: what a calendar service calls things, and what to do about it, its driver knows."""

from __future__ import annotations

import re
from pathlib import Path

PLACED = Path(__file__).resolve().parents[2] / "placed"
TEXT = {".css", ".html", ".js", ".json", ".md", ".py", ".sql", ".svg", ".toml", ".txt"}

# Names of vendors, of their products, and of what only one service has.
VENDOR_WORD = re.compile(
    r"microsoft|office ?365|\bm365\b|outlook|\bexchange online\b|\bentra\b|\bazure\b|\bgraph\b|\bmsal\b"
    r"|aadsts|\brbac\b|access[ -]polic|\bgoogle\b|\bworkspace\b|\bcaldav\b|\bicloud\b|\bzoom\b",
    re.IGNORECASE,
)
# How long a change takes at a service: "two hours", "up to 90 minutes". The driver's `grant_delay` has it.
PROPAGATION_TIME = re.compile(
    r"(?:takes?|up to) (?:up to )?(?:\d+|an|one|two) (?:minute|hour)s?\b", re.IGNORECASE
)

# Documentation may name a driver as an example.
EXAMPLES = {("http/api/openapi.json", "What reads it, such as microsoft365.")}


def found(pattern: re.Pattern[str]) -> list[str]:
    files = [path for path in sorted(PLACED.rglob("*")) if path.suffix in TEXT]
    assert files
    return [
        f"{name}:{number}: {match[0]}"
        for path in files
        for name in [path.relative_to(PLACED).as_posix()]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        for match in pattern.finditer(line)
        if not any(name == file and example in line for file, example in EXAMPLES)
    ]


def test_no_vendor_is_named() -> None:
    assert found(VENDOR_WORD) == []


def test_no_propagation_time_of_a_service_is_named() -> None:
    assert found(PROPAGATION_TIME) == []


def test_the_words_are_recognised() -> None:
    assert VENDOR_WORD.search("fix the access policy or the RBAC scope")
    assert VENDOR_WORD.search("logging.getLogger('placed_microsoft365')")
    assert not VENDOR_WORD.search("a paragraph about photographs")
    assert PROPAGATION_TIME.search("that takes up to two hours to be in effect")
