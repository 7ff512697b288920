"""The parameter `fields` (Google: partial responses): `accessRole,items(id,start/date,attendees(self))`.

Names are held against the schema of the answer: a field that the answer cannot have is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import invalid
from placed_google.simulator.schemas import ANY, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"[A-Za-z0-9_.@-]+|[(),/*]")
ALL = "*"


@dataclass(slots=True)
class FieldMask:
    """What of an object is wanted, by field; a field without further ones is wanted as a whole."""

    fields: dict[str, FieldMask] = field(default_factory=dict)

    def apply(self, value: object) -> object:
        """The value with nothing but what is wanted; of a list that of each element."""
        if not self.fields or ALL in self.fields:
            return value
        if isinstance(value, list):
            return [self.apply(one) for one in value]
        if isinstance(value, dict):
            return {name: self.fields[name].apply(one) for name, one in value.items() if name in self.fields}
        return value

    def add(self, other: FieldMask) -> None:
        """Want that, too."""
        for name, mask in other.fields.items():
            if name in self.fields and self.fields[name].fields and mask.fields:
                self.fields[name].add(mask)
            else:
                self.fields[name] = mask if name not in self.fields else FieldMask()


@lru_cache(maxsize=100)
def parse_mask(text: str, schema: str) -> FieldMask:
    """The mask in a query.

    Raises:
        ApiError: 400, it is none, or has a field that the schema has not.
    """
    tokens = _tokens(text)
    parser = _Parser(tokens, text)
    mask = parser.selection()
    if parser.tokens:
        raise _wrong(text)
    _check(mask, schema)
    return mask


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _wrong(text)
        found.append(match[0])
        position = match.end()
    return found[::-1]


@dataclass(slots=True)
class _Parser:
    """Reads tokens from the end of a list: a comma of paths, whose last part may have a selection."""

    tokens: list[str]
    text: str

    def selection(self) -> FieldMask:
        mask = self._path()
        while self.tokens and self.tokens[-1] == ",":
            self.tokens.pop()
            mask.add(self._path())
        return mask

    def _path(self) -> FieldMask:
        name = self.tokens.pop() if self.tokens else ""
        if name in ("", "(", ")", ",", "/"):
            raise _wrong(self.text)
        return FieldMask({name: self._rest()})

    def _rest(self) -> FieldMask:
        following = self.tokens[-1] if self.tokens else ""
        if following == "/":
            self.tokens.pop()
            return self._path()
        if following != "(":
            return FieldMask()
        self.tokens.pop()
        inside = self.selection()
        if not self.tokens or self.tokens.pop() != ")":
            raise _wrong(self.text)
        return inside


def _check(mask: FieldMask, schema: str) -> None:
    known: Mapping[str, str] = SCHEMAS.get(schema, {})
    for name, inside in mask.fields.items():
        if schema == ANY or name == ALL:
            continue
        kind = known.get(name, known.get(ALL))
        if kind is None or (inside.fields and not kind):
            raise _wrong(name)
        _check(inside, kind)


def _wrong(text: str) -> Exception:
    return invalid("fields", f"Invalid field selection {text}")
