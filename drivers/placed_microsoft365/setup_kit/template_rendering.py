"""Fills the scripts' templates with the answers, each as a literal of the script's language.

Nothing is ever put into a script but as such a literal, or as one of the few texts of this driver.
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

# PowerShell ends a string in single quotes at any of these, and takes two for one.
_SINGLE_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


class _Template(Template):
    """With @@{name}, for a dollar is what both languages are full of."""

    delimiter = "@@"


def render(name: str, values: Mapping[str, str]) -> str:
    """A template of that file name with the values in it, and with the parts that it names.

    Raises:
        KeyError: it names a value that is not there.
        ValueError: it has a stray @@.
    """
    folder = files("placed_microsoft365.setup_kit").joinpath("templates")
    with_parts = _Template(folder.joinpath(name).read_text("utf-8")).substitute(
        {**{key: f"@@{{{key}}}" for key in values}, **_parts()}
    )
    return _Template(with_parts).substitute(values)


@cache
def _parts() -> dict[str, str]:
    """What several scripts have in common, by the file's name; each script is to be read by itself."""
    folder = files("placed_microsoft365.setup_kit").joinpath("templates", "parts")
    return {
        f"part_{part.name.removesuffix('.ps1')}": part.read_text("utf-8").rstrip("\n")
        for part in folder.iterdir()
        if part.name.endswith(".ps1")
    }


def bash(text: str) -> str:
    """A literal of bash."""
    return shlex.quote(text)


def bash_words(texts: Iterable[str]) -> str:
    """The words of an array of bash."""
    return " ".join(bash(text) for text in texts)


def powershell(text: str) -> str:
    """A literal of PowerShell."""
    doubled = _SINGLE_QUOTES.sub(r"\1\1", text)
    return f"'{doubled}'"


def powershell_array(texts: Iterable[str]) -> str:
    """An array of literals of PowerShell."""
    return f"@({', '.join(powershell(text) for text in texts)})"
