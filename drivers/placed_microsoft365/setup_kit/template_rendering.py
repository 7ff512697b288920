"""Fills the scripts' templates with the answers, each quoted as a literal of PowerShell or bash.

Only such literals, and a few fixed texts of this driver, are put into a script.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.driver.kit_templates import Templates

if TYPE_CHECKING:
    from collections.abc import Iterable

# PowerShell ends a single-quoted string at any of these, and reads two of them as one.
_SINGLE_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")

render = Templates("placed_microsoft365.setup_kit").render


def powershell(text: str) -> str:
    """Quotes a literal for PowerShell."""
    doubled = _SINGLE_QUOTES.sub(r"\1\1", text)
    return f"'{doubled}'"


def powershell_array(texts: Iterable[str]) -> str:
    """Returns a PowerShell array of literals."""
    return f"@({', '.join(powershell(text) for text in texts)})"
