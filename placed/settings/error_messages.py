"""Converts validation errors of pydantic into problems with texts of this project. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Any

from placed.domain.problem import Problem
from placed.driver import SECRET
from placed.settings.schema import Settings

if TYPE_CHECKING:
    from placed.driver import DriverKind
    from placed.settings.files import Location

Where = Callable[["Location"], tuple[str, str]]  # the file of a setting, and its key there

ENVIRONMENT = "environment"  # in place of a file's name

_CONNECTIONS: Location = ("connections",)
_REPEATED: tuple[Location, ...] = (_CONNECTIONS, ("sensors",))  # tables in two brackets
_SECRET_WORDS = ("secret", "password", "token", "key")
_LONGEST = 60  # characters of a value that are quoted
_TAGS = ("union_tag_not_found", "union_tag_invalid", "literal_error")
_TABLES = ("model_type", "model_attributes_type", "dict_type", "mapping_type", "dataclass_type")
_LIST = ' a list, such as ["..."]'
_PLAIN = {  # by the prefix of the error type
    "bool": " true or false",
    "float": " a number",
    "finite": " a number",
    "frozen_set_type": _LIST,
    "list_type": _LIST,
    "path": " a file's path in quotes",
    "set_item": " text in quotes",
    "set_type": _LIST,
    "string_type": " text in quotes",
    "tuple_type": _LIST,
}
_BOUNDS = ("greater_than_equal", "greater_than", "less_than_equal", "less_than")


def called(details: Mapping[str, Any], kinds: Mapping[str, DriverKind], where: Where) -> Problem:
    """The problem for one error: location, found value, expected value.

    Args:
        details: the error, as in pydantic's `ValidationError.errors()`.
        kinds: the installed drivers, by name.
        where: names the place of a setting.
    """
    location: Location = tuple(
        step
        for depth, step in enumerate(details["loc"])
        if not (depth == 2 and step in kinds)  # noqa: PLR2004 - the union's tag
    )
    kind, found = str(details["type"]), details["input"]
    if kind.startswith("union_tag") and not isinstance(found, Mapping):
        kind = "model_type"
    elif kind.startswith("union_tag"):
        location = (*location, "driver")
    installed = ", ".join(sorted(kinds))
    kinds = {name: of for name, of in kinds.items() if name in details["loc"][2:3]} or kinds
    file, key = where(location)

    hidden = _is_secret(location, kinds)

    def problem(text: str, seen: str = "") -> Problem:
        return Problem(key, text, file=file, found=seen)

    if kind == "extra_forbidden":
        return problem(f"unknown key{did_you_mean(str(location[-1]), set(_fields(location, kinds)))}")
    if location == _CONNECTIONS and kind in ("missing", "too_short"):
        return problem("there is no [[connections]] table; expected one for each calendar service account")
    if kind == "missing":
        return problem(f"missing; expected: {_description(location, kinds) or 'a value'}")
    if kind in _TAGS and location[-1] == "driver":
        missing = kind == "union_tag_not_found"
        return problem(f"{'missing' if missing else 'unknown driver'}; installed: {installed}")
    if kind == "value_error":
        listed = isinstance(found, (dict, list, tuple, set, frozenset))
        return problem(str(details["ctx"]["error"]), "" if listed else _found(location, found, hidden=hidden))
    if kind in ("literal_error", "enum"):
        expected = f" {str(details['ctx']['expected']).replace(chr(39), '')}"
    else:
        expected = _expected(kind, location, kinds, found)
    as_json = file == ENVIRONMENT and (kind in _TABLES or _PLAIN.get(kind) == _LIST)
    return problem(
        f"expected{expected}{', as JSON' if as_json else ''}", _found(location, found, hidden=hidden)
    )


def did_you_mean(name: str, known: set[str]) -> str:
    """The end of a message about an unknown name."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"


# --- the found value ----------------------------------------------------------------------------------------


def _found(location: Location, found: object, *, hidden: bool) -> str:
    """The found value; only its type if it could be a secret."""
    if hidden:
        return f"found {_kind(found)}"
    login = isinstance(found, str) and "://" in found and "@" in found
    table = isinstance(found, str) and found.lstrip().startswith(("{", "["))  # incomplete JSON of a variable
    if login or table or any(word in str(step) for step in location for word in _SECRET_WORDS):
        return f"found {_kind(found)}"
    return f"found {_shown(found)}"


def _kind(found: object) -> str:
    if isinstance(found, bool):
        return "true or false"
    if isinstance(found, (int, float)):
        return "a number"
    if isinstance(found, Mapping):
        return "a table"
    if isinstance(found, (list, tuple, set, frozenset)):
        return "a list"
    return "a text" if isinstance(found, str) else "something else"


def _shown(found: object) -> str:
    """The value in TOML, shortened."""
    if isinstance(found, str):
        return repr(found[:_LONGEST])
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, (int, float, date, time)):
        return str(found)[:_LONGEST]
    return _kind(found)


# --- the expected value -------------------------------------------------------------------------------------


def _expected(kind: str, location: Location, kinds: Mapping[str, DriverKind], found: object) -> str:
    """The end of a message, after the word `expected`."""
    if location[:1] in _REPEATED and len(location) == 1:
        return f" [[{location[0]}]]{', in two brackets' if isinstance(found, Mapping) else ' tables'}"
    if location[:1] in _REPEATED and len(location) == 2:  # noqa: PLR2004 - one of them
        return f" a [[{location[0]}]] table"
    if kind in _TABLES:
        return f" a table: [{_table(location)}]"
    if kind.startswith("int") or kind in _BOUNDS:
        return f" a whole number{_range(_field(location, kinds))}"
    for begins, text in _PLAIN.items():
        if kind.startswith(begins):
            return text
    described = _description(location, kinds)
    return f": {described}" if described else " another value"


def _table(location: Location) -> str:
    steps = [step for step in location if isinstance(step, str)]
    return ".".join(f'"{step}"' if not step.replace("_", "").isalnum() else step for step in steps)


def _range(field: Any) -> str:
    """The bounds from a field's annotations."""
    lowest: object = None
    highest: object = None
    for bound in getattr(field, "metadata", ()):
        lowest = getattr(bound, "ge", lowest)
        highest = getattr(bound, "le", highest)
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    if lowest is not None:
        return f" of at least {lowest}"
    return "" if highest is None else f" of at most {highest}"


# --- the tree of settings -----------------------------------------------------------------------------------


def _fields(location: Location, kinds: Mapping[str, DriverKind]) -> dict[str, Any]:
    """The fields of the table that contains the key, if it is known."""
    if location[:1] == _CONNECTIONS:
        fields: dict[str, Any] = {}
        for driver in kinds.values():
            fields |= driver.Settings.model_fields
    else:
        fields = dict(Settings.model_fields)
    for step in location[2:-1] if location[:1] == _CONNECTIONS else location[:-1]:
        annotation = fields[str(step)].annotation if step in fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        table = next((c for c in candidates if hasattr(c, "model_fields")), None)
        fields = dict(table.model_fields) if table else fields
    return fields


def _field(location: Location, kinds: Mapping[str, DriverKind]) -> Any:
    """The field of a key; for a list item, that of the list."""
    named = location
    while named and isinstance(named[-1], int):
        named = named[:-1]
    return _fields(named, kinds).get(str(named[-1])) if named else None


def _is_secret(location: Location, kinds: Mapping[str, DriverKind]) -> bool:
    """Whether the key, or a table that contains it, is marked as secret by `placed.driver.SECRET`."""
    fields = (_field(location[:length], kinds) for length in range(1, len(location) + 1))
    return any(field is not None and field.json_schema_extra == SECRET for field in fields)


def _description(location: Location, kinds: Mapping[str, DriverKind]) -> str:
    known = _field(location, kinds)
    return known.description if known is not None and known.description else ""
