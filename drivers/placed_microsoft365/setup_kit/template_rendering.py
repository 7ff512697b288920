"""Fills the scripts' templates with the answers, each quoted as a literal of the script's language.

Only such literals, and a few fixed texts of this driver, are put into a script.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# PowerShell ends a single-quoted string at any of these, and reads two of them as one.
_SINGLE_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


class _Template(Template):
    """Templates with @@{name}, because both languages use the dollar."""

    delimiter = "@@"


def render(name: str, values: Mapping[str, str]) -> str:
    """Renders the template of that file name with the values, and with the parts that it includes.

    Raises:
        KeyError: a value is missing.
        ValueError: there is a stray @@.
    """
    folder = files("placed_microsoft365.setup_kit").joinpath("templates")
    with_parts = _Template(folder.joinpath(name).read_text("utf-8")).substitute(
        {**{key: f"@@{{{key}}}" for key in values}, **_parts()}
    )
    return _Template(with_parts).substitute(values)


@cache
def _parts() -> dict[str, str]:
    """Returns the parts that several scripts share, by file name; each script includes them in full."""
    folder = files("placed_microsoft365.setup_kit").joinpath("templates", "parts")
    return {
        f"part_{part.name.removesuffix('.ps1')}": part.read_text("utf-8").rstrip("\n")
        for part in folder.iterdir()
        if part.name.endswith(".ps1")
    }


def bash(text: str) -> str:
    """Quotes a literal for bash."""
    return shlex.quote(text)


def bash_words(texts: Iterable[str]) -> str:
    """Returns the words of a bash array."""
    return " ".join(bash(text) for text in texts)


def powershell(text: str) -> str:
    """Quotes a literal for PowerShell."""
    doubled = _SINGLE_QUOTES.sub(r"\1\1", text)
    return f"'{doubled}'"


def powershell_array(texts: Iterable[str]) -> str:
    """Returns a PowerShell array of literals."""
    return f"@({', '.join(powershell(text) for text in texts)})"
