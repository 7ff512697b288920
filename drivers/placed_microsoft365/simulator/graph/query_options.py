"""Query strings of Graph: parsing them, and the links of pages (Microsoft: query-parameters)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

ODATA_OPTIONS = frozenset(
    {"$select", "$top", "$skip", "$skiptoken", "$orderby", "$filter", "$count", "$expand", "$search"}
)


class BadQueryError(Exception):
    """The query is refused with 400; `code` is Graph's, the text its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_query(text: str) -> dict[str, str]:
    """The parameters; option names may come without their dollar, as v1.0 allows.

    Raises:
        BadQueryError: an option that OData does not have, or one given twice.
    """
    found: dict[str, str] = {}
    for raw, value in parse_qsl(text, keep_blank_values=True):
        name = f"${raw}" if f"${raw}" in ODATA_OPTIONS else raw
        if name.startswith("$") and name not in ODATA_OPTIONS:
            raise BadQueryError(
                "BadRequest",
                f"The query parameter '{name}' begins with a system-reserved '$' character but is not "
                "recognized.",
            )
        if name in found:
            raise BadQueryError("BadRequest", f"Query parameter '{name}' was specified multiple times.")
        found[name] = value
    return found


def whole_number(query: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """A number in the query.

    Raises:
        BadQueryError: it is none, or outside of the limits.
    """
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise BadQueryError(
            "ErrorInvalidUrlQuery", f"The value '{text}' of {name} is not a number from {least} to {most}."
        )
    return int(text)


def selection(query: Mapping[str, str], known: frozenset[str], kind: str) -> frozenset[str] | None:
    """The names in `$select`, None for all.

    Raises:
        BadQueryError: a name that the type does not have.
    """
    text = query.get("$select", "")
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not names:
        return None
    for name in sorted(names):
        if name.partition("/")[0] not in known:
            raise BadQueryError(
                "RequestBroker--ParseUri", f"Could not find a property named '{name}' on type '{kind}'."
            )
    return frozenset(name.partition("/")[0] for name in names)


def next_link(url: str, query: Mapping[str, str], **changed: str | int) -> str:
    """The absolute URL of the next page; names of options in `changed` come without their dollar."""
    merged = {**query, **{f"${name}": str(value) for name, value in changed.items()}}
    return f"{url}?{urlencode(merged, safe='$,:', quote_via=quote)}"
