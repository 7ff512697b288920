"""The names and the order of the checks, and the report of all findings. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from placed.driver import Finding, Verdict
from placed.driver.shared_findings import blocked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placed.domain.problem import Problem

SCHEMA = 1
MACHINE = ("settings", "state", "time_zones", "files", "http")
CONNECTION = (
    "files",
    "certificate",
    "dns",
    "tls",
    "clock",
    "token",
    "claims",
    "consent",
    "rooms",
    "readable",
    "canaries",
    "titles",
    "private",
)
# Where the checks belong that only some connections need, by the check before them.
_AFTER = {
    "key": "certificate",
    "sign-in": "clock",
    "discovery": "clock",
    "calendars": "clock",
    "tags": "clock",
    "privileges": "clock",
    "api": "token",
    "acceptance": "private",
    "zones": "private",
    "time-range": "private",
    "freshness": "private",
    "events": "private",
    "actions": "private",
}
BROKER = ("broker", "publish", "subscribe", "commands")
SENSORS = ("sensors",)  # only where there are sensors

NamedFinding = tuple[str | None, Finding]  # the connection's name, None for other findings


@dataclass(frozen=True, slots=True)
class Chart:
    """All findings, in the order of the report.

    Attributes:
        findings: those of the machine, each connection, the broker, the sensors; within each in the order of
        the checks.
    """

    findings: tuple[NamedFinding, ...]

    @classmethod
    def of(cls, findings: Iterable[NamedFinding], connections: Sequence[str] = ()) -> Chart:
        """Sorts the findings. Those of the same check keep their order."""
        places = {name: place for place, name in enumerate(connections)}

        def key(item: NamedFinding) -> tuple[int, int, float]:
            name, finding = item
            if name is not None:
                return 1, places.get(name, len(places)), _place(CONNECTION, finding.check)
            if finding.check in BROKER:
                return 2, 0, _place(BROKER, finding.check)
            if finding.check in SENSORS:
                return 3, 0, 0
            words = MACHINE + CONNECTION  # the latter only if there are no settings, and so no connection
            return 0, 0, _place(words, finding.check)

        return cls(tuple(sorted(findings, key=key)))

    def count(self, verdict: Verdict) -> int:
        """Returns the number of findings with this verdict."""
        return sum(finding.verdict is verdict for _, finding in self.findings)

    @property
    def holds(self) -> bool:
        """Whether no link is broken."""
        return not self.count(Verdict.BAD)

    def document(self) -> dict[str, Any]:
        """For `--json`: `{"schema":1,"good","doubtful","bad","findings":[…]}`."""
        return {
            "schema": SCHEMA,
            **{verdict.value: self.count(verdict) for verdict in Verdict},
            "findings": [
                {
                    "connection": name,
                    "check": finding.check,
                    "verdict": finding.verdict.value,
                    "said": finding.text,
                    "remedy": finding.remedy or None,
                    "blocked_by": finding.blocked_by or None,
                }
                for name, finding in self.findings
            ],
        }


def refused_settings(problems: Iterable[Problem]) -> list[NamedFinding]:
    """Findings for an invalid configuration: one per error; every other check is blocked."""
    mistakes = [_invalid_setting(problem) for problem in problems]
    others = dict.fromkeys((*MACHINE[1:], *CONNECTION, *BROKER))
    return [(None, finding) for finding in (*mistakes, *(blocked(check, mistakes[0]) for check in others))]


def of_problem(check: str, problem: Problem) -> Finding:
    """Returns the finding of a problem; the default remedy is to correct the setting."""
    remedy = problem.remedy or (f"correct {problem.key}" if problem.key else "")
    return Finding(check, Verdict.BAD, replace(problem, remedy=remedy))


def _invalid_setting(problem: Problem) -> Finding:
    """The finding of an error in the settings. It shows the whole line, as `placed check` does."""
    if "canaries" in problem.key.lower():
        problem = replace(problem, found="")  # it was meant to be a person's address
    if problem.unread is not None:
        remedy = f"let this user read {problem.unread}, or run placed doctor with sudo"
    elif problem.key:
        remedy = f"correct {problem.key} in {problem.file}"
    else:
        remedy = problem.remedy or f"correct {problem.file}"
    return Finding.of("settings", Verdict.BAD, problem.line, remedy)


def _place(words: Sequence[str], word: str) -> float:
    if word in words:
        return words.index(word)
    return words.index(_AFTER[word]) + 0.5 if _AFTER.get(word) in words else len(words)
