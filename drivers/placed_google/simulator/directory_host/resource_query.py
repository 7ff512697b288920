"""The parameter `query` of a list of resources: `resourceCategory=CONFERENCE_ROOM AND capacity>=4`."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIELDS = (
    "buildingId",
    "capacity",
    "floorName",
    "floorSection",
    "generatedResourceName",
    "name",
    "resourceCategory",
    "resourceEmail",
    "resourceId",
    "resourceName",
)
_CLAUSE = re.compile(r"\s*(\w+)\s*(>=|<=|!=|=|:|>|<)\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))\s*")
_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": lambda a, b: str(a).zfill(9) > str(b).zfill(9),
    "<": lambda a, b: str(a).zfill(9) < str(b).zfill(9),
    ">=": lambda a, b: str(a).zfill(9) >= str(b).zfill(9),
    "<=": lambda a, b: str(a).zfill(9) <= str(b).zfill(9),
    ":": lambda a, b: str(b).rstrip("*") in str(a),
}


def parse_query(text: str) -> Callable[[Mapping[str, object]], bool]:
    """Whether a resource matches all clauses, which are joined by `AND`; 400 for what is no query."""
    clauses = [_clause(part) for part in re.split(r"\s+AND\s+", text)] if text.strip() else []
    return lambda resource: all(clause(resource) for clause in clauses)


def _clause(text: str) -> Callable[[Mapping[str, object]], bool]:
    found = _CLAUSE.fullmatch(text)
    if found is None or found[1] not in FIELDS:
        raise invalid("query", f"Invalid Input: query: {text}", "invalid")
    field = "resourceName" if found[1] == "name" else found[1]
    wanted = found[3] or found[4] or found[5] or ""
    compare = _COMPARE[found[2]]
    return lambda resource: field in resource and compare(str(resource[field]), wanted)
