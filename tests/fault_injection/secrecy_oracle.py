"""Looks for texts that may not be shown in whatever leaves the daemon, and in what it leaves on the disk.

`hidden_in_messages`, `hidden_in_answers`, `hidden_in_files`: none of them is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_injection.promise import Violation

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping

HIDDEN_TITLE = "Merger-7c1e09"  # of every meeting that people book
HIDDEN_ORGANIZER = "Grace Hidden-7c1e09"  # of every private one
SECRET = "s3cret~of~"
HIDDEN = {
    HIDDEN_TITLE: "a title",
    HIDDEN_ORGANIZER: "the organizer of a private meeting",
    SECRET: "a secret of the settings",
}


class SecrecyOracle:
    """Looks for them.

    Args:
        checked: counts what was looked at.
        report: is called with each violation.
        hidden: what each text is.
    """

    def __init__(
        self,
        checked: Counter[str],
        report: Callable[[Violation], None],
        hidden: Mapping[str, str] = HIDDEN,
    ) -> None:
        self._checked = checked
        self._report = report
        self._hidden = {text.encode(): what for text, what in hidden.items()}
        self._blamed: set[tuple[str, str]] = set()

    def look(self, way: str, place: str, content: bytes, elapsed: float) -> None:
        """Looks through a message, an answer or a file; each text is reported once of each way.

        Args:
            way: messages, answers or files.
            place: the topic, path or name.
            content: what is there.
            elapsed: when that was.
        """
        rule = f"hidden_in_{way}"
        self._checked[rule] += 1
        for text, what in self._hidden.items():
            if text in content and (way, what) not in self._blamed:
                self._blamed.add((way, what))
                self._report(Violation(rule, elapsed, "-", "-", f"{what}, in {place}", []))
