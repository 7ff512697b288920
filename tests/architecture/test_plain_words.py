"""The words that CONTRIBUTING.md asks to avoid, in every file of the repository.

They are words of stories: a program publishes, reports or logs; it does not "tell". Names count as well:
`test_a_room_is_told` has the word `told`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tests.architecture.import_graph import ROOT
from tests.architecture.test_repository import tracked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_TEXT = {".png", ".lock"}

# The word, and what to write.
AVOIDED = {
    r"tells?|told|telling": "publish, report, log, show, send",
    r"says?|said|saying": "report, state, answer, show",
    r"mend(?:s|ed|ing)?": "fix, correct",
    r"of no use": "invalid, unusable",
    r"whoever": "the operator, the client, a program that",
    r"anew": "again",
    r"(?:see|sees|saw|seeing) to": "check, ensure",
    r"can not": "cannot",
}
# After a letter or before one it is part of another word; an underscore separates the words of a name.
_WORD = re.compile(rf"(?<![^\W_])(?:{'|'.join(AVOIDED)})(?![^\W_])", re.IGNORECASE)


class Allowed(NamedTuple):
    """Where a word is right. `path` is how a file's name begins, `text` what the line has around the word."""

    path: str
    text: str
    reason: str


ALLOWED = (
    Allowed("CONTRIBUTING.md", 'avoid "tell", "say", "mend"', "names the words"),
    Allowed("tests/architecture/test_plain_words.py", "", "names the words"),
    Allowed("placed/doctor/report.py", '"said"', "a key of `placed doctor --json`"),
    Allowed("tests/", '"said"', "a key of `placed doctor --json`"),
)


class Found(NamedTuple):
    """A word, with the line that has it."""

    path: str
    number: int
    word: str
    line: str

    def is_allowed_by(self, exception: Allowed) -> bool:
        return self.path.startswith(exception.path) and exception.text in self.line


def words(path: Path) -> Iterator[Found]:
    text = path.read_text("utf-8")
    lines: list[str] = []
    for match in _WORD.finditer(text.replace("_", " ")):
        lines = lines or text.split("\n")
        number = text.count("\n", 0, match.start())
        yield Found(path.relative_to(ROOT).as_posix(), number + 1, match[0], lines[number])


@cache
def found() -> tuple[Found, ...]:
    files = [path for path in tracked() if path.suffix not in NO_TEXT and path.name != "LICENSE"]
    return tuple(word for path in files for word in words(path))


def test_words_to_avoid_are_avoided() -> None:
    reported = [word for word in found() if not any(word.is_allowed_by(exception) for exception in ALLOWED)]
    assert [f"{word.path}:{word.number}: {word.word}" for word in reported] == []


def test_every_exception_is_needed() -> None:
    there = found()
    assert [one for one in ALLOWED if not any(word.is_allowed_by(one) for word in there)] == []


def test_the_words_are_recognised() -> None:
    for sentence in (
        "Whoever waits is told.",
        "def test_a_room_is_told() -> None:",
        "class _Said(TypedDict):",
        "what can not be mended is of no use",
        "it sees to the files",
    ):
        assert _WORD.search(sentence.replace("_", " ")), sentence
    for sentence in (
        "an essay on amendments",
        "a service that was seen to refuse",
        "a retold story",
        "foretell",
    ):
        assert not _WORD.search(sentence.replace("_", " ")), sentence
