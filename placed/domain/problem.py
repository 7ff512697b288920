"""What is wrong, where, and what to do about it: one value from where it is noticed to the operator. Pure."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """Something is wrong. Holds no secret, and no person's name or address but in `found`.

    Attributes:
        key: where: a setting such as `mqtt.url`, a connection such as `connections.contoso`, or empty.
        text: what is the case.
        remedy: what the operator can do about it; empty if nothing but time helps.
        lasting: whether trying again within minutes is useless, since a person has to change something.
        retry_after: seconds that a service asked for.
        file: what holds the key: a file, or `environment`.
        found: what the setting holds, as `found 'x'`, where that may be shown.
        unread: the file that cannot be read, if that is the problem.
        joint: what stands between text and remedy in a line; `: ` where the text is a service's.
    """

    key: str
    text: str
    remedy: str = ""
    lasting: bool = False
    retry_after: float | None = None
    _: KW_ONLY
    file: str = ""
    found: str = ""
    unread: Path | None = None
    joint: str = "; "

    @property
    def statement(self) -> str:
        """The line without the remedy: `file: key: found, text`."""
        text = ", ".join(part for part in (self.found, self.text) if part)
        return one_line(": ".join(part for part in (self.file, self.key, text) if part))

    @property
    def line(self) -> str:
        """The line that operators see in logs and terminals: `file: key: text; remedy`."""
        return self.statement + (f"{self.joint}{one_line(self.remedy)}" if self.remedy else "")

    def at(self, key: str, file: str = "") -> Self:
        """The same problem, with another place."""
        return replace(self, key=key, file=file)


def one_line(text: str) -> str:
    """With line breaks and control characters that a key or a value holds written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
