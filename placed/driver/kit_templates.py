"""Templates of a kit's files. Answers are put into a script as literals of the script's language only."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from functools import cached_property
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.resources.abc import Traversable

_WIDTH = 120
_AS_IT_IS = re.compile(r"[#|-]|    |\d\. ")  # headings, tables, lists, commands


class _Template(Template):
    """Templates with @@{name}, because the languages of scripts use the dollar."""

    delimiter = "@@"


class Templates:
    """The templates in the folder `templates` of a package.

    Each file in its folder `parts` is included in full where a template has @@{part_NAME}.
    """

    def __init__(self, package: str) -> None:
        self._folder = files(package).joinpath("templates")

    def render(self, name: str, values: Mapping[str, str]) -> str:
        """Renders the template of that file name with the values, and with the parts that it includes.

        Raises:
            KeyError: a value is missing.
            ValueError: there is a stray @@.
        """
        with_parts = _Template(self._folder.joinpath(name).read_text("utf-8")).substitute(
            {**{key: f"@@{{{key}}}" for key in values}, **self._parts}
        )
        return _Template(with_parts).substitute(values)

    @cached_property
    def _parts(self) -> dict[str, str]:
        folder = self._folder.joinpath("parts")
        return {
            f"part_{_stem(part)}": part.read_text("utf-8").rstrip("\n")
            for part in (folder.iterdir() if folder.is_dir() else ())
            if part.is_file()
        }


def bash(text: str) -> str:
    """Quotes a literal for bash."""
    return shlex.quote(text)


def bash_words(texts: Iterable[str]) -> str:
    """Returns the words of a bash array."""
    return " ".join(bash(text) for text in texts)


def javascript(value: str | Iterable[str]) -> str:
    """Returns a literal for JavaScript: a string, or an array of strings."""
    return json.dumps(value if isinstance(value, str) else list(value))


def wrapped(markdown: str) -> str:
    """Wraps the paragraphs of a page for a terminal."""
    return "".join(
        line
        if _AS_IT_IS.match(line)
        else textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"
        for line in markdown.splitlines(keepends=True)
    )


def _stem(part: Traversable) -> str:
    return part.name.rpartition(".")[0]
