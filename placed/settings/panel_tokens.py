"""The file with the tokens of panels: which panel may ask for which action in which room.

    [boardroom-door]
    token_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    scopes = ["rooms/boardroom:check-in", "rooms/boardroom:book"]

Either part of a scope may be `*`. The file holds digests alone, from which nobody can find a token.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from placed.domain.action import Action
from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.driver import Exposed, read_digests, remedy_for_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SETTING = "http.panel_tokens"
_ALL: Literal["*"] = "*"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SCOPE = re.compile(r"rooms/(?P<room>[a-z0-9_-]{1,200}|\*):(?P<action>[a-z-]{1,20}|\*)")
_ACTIONS = ", ".join(Action)
_NO_TOKEN = hashlib.sha256(b"").digest()
_LONGEST_TOKEN = 500  # characters


@dataclass(frozen=True, slots=True)
class Scope:
    """A room and an action; None stands for all of them."""

    room: str | None
    action: Action | None

    def includes(self, room_id: str, action: Action) -> bool:
        """Whether it allows the action in the room."""
        return self.room in (None, room_id) and self.action in (None, action)


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: who sends a command.

    Attributes:
        name: of its table.
        digest: SHA-256 of its token.
        scopes: what it may ask for.
    """

    name: str
    digest: bytes = field(repr=False)
    scopes: tuple[Scope, ...]

    def may(self, room_id: str, action: Action) -> bool:
        """Whether it may ask for the action in the room."""
        return any(scope.includes(room_id, action) for scope in self.scopes)

    @property
    def rooms(self) -> frozenset[str] | None:
        """The rooms that its scopes name; None if one of them is for all rooms."""
        named = {scope.room for scope in self.scopes}
        return None if None in named else frozenset(room for room in named if room is not None)


@dataclass(frozen=True, slots=True)
class PanelTokens:
    """All panels of the file."""

    panels: tuple[Panel, ...] = ()

    def panel_of(self, token: str) -> Panel | None:
        """The panel with this token. The search takes as long whichever it is, and if it is none."""
        if len(token) > _LONGEST_TOKEN:
            return None
        shown = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        found: Panel | None = None
        for panel in self.panels:
            if hmac.compare_digest(panel.digest, shown):
                found = panel
        return found


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    token_sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-fA-F]{64}\Z")]
    scopes: Annotated[list[str], msgspec.Meta(min_length=1)]


def read_panel_tokens(path: Path, reading_token: bytes | None) -> PanelTokens:
    """Reads the file.

    Args:
        path: the file.
        reading_token: the bearer token of those who read, which must be no panel's.

    Raises:
        CannotStart: with every fault of the file.
    """
    tables = _read(path)
    problems: list[Problem] = []
    panels: list[Panel] = []
    for name, table in tables.items():
        found = list(_panel(name, table))
        panels += [one for one in found if isinstance(one, Panel)]
        problems += [_problem(path, one, *rest) for one, *rest in _texts(found)]
    problems += [_problem(path, *fault) for fault in _shared(panels, reading_token)]
    if problems:
        raise CannotStart(*problems)
    return PanelTokens(tuple(panels))


def _read(path: Path) -> dict[str, object]:
    try:
        text = read_digests(path).decode()
        return tomllib.loads(text)
    except Exposed as exposed:
        raise CannotStart(_problem(path, exposed.problem.text, exposed.problem.remedy)) from None
    except FileNotFoundError:
        raise _unread(path, "there is no such file", remedy_for_missing(path)) from None
    except OSError as error:
        remedy = "expected a readable TOML file with a table for each panel"
        raise _unread(path, error.strerror or "cannot be read", remedy) from error
    except UnicodeDecodeError:
        raise CannotStart(_problem(path, "is not UTF-8 text", "expected TOML")) from None
    except (ValueError, RecursionError) as error:  # a ValueError is also a number of thousands of digits
        where = re.search(r"\(at .*\)", str(error))
        text = f"is not TOML {where[0]}" if where else "is not TOML"
        raise CannotStart(_problem(path, text, "expected a table for each panel")) from None


_Fault = tuple[str, str]  # what is wrong, and what is expected


def _texts(found: Iterable[Panel | _Fault]) -> Iterator[_Fault]:
    return (one for one in found if not isinstance(one, Panel))


def _panel(name: str, table: object) -> Iterator[Panel | _Fault]:
    """The panel of a table, or its faults. No fault shows a value: a token may stand there by mistake."""
    if not _NAME.fullmatch(name):
        yield "a table's name is invalid", "expected at most 64 of a-z A-Z 0-9 - _"
        return
    try:
        read = msgspec.convert(table, _Table)
    except msgspec.ValidationError as error:
        yield _invalid(name, str(error))
        return
    digest, scopes, faults = bytes.fromhex(read.token_sha256), [], []
    if digest == _NO_TOKEN:
        faults.append((f"[{name}]: token_sha256 is the digest of an empty token", "make a token first"))
    for number, text in enumerate(read.scopes, 1):
        scope = _scope(text)
        if scope is None:
            expected = f"expected rooms/<id>:<action>, of which the action is one of {_ACTIONS} or *"
            faults.append((f"[{name}]: scope {number} is invalid", expected))
        else:
            scopes.append(scope)
    if faults:
        yield from faults
    else:
        yield Panel(name, digest, tuple(scopes))


def _scope(text: str) -> Scope | None:
    found = _SCOPE.fullmatch(text)
    if found is None or (found["action"] != _ALL and found["action"] not in set(Action)):
        return None
    room = None if found["room"] == _ALL else found["room"]
    return Scope(room, None if found["action"] == _ALL else Action(found["action"]))


def _invalid(name: str, error: str) -> _Fault:
    if "unknown field" in error:
        return f"[{name}]: it has a key that is not known", "expected token_sha256 and scopes alone"
    if "token_sha256" in error:
        return f"[{name}]: token_sha256 is missing or invalid", "expected 64 hexadecimal digits: sha256sum"
    if "scopes" in error:
        return f"[{name}]: scopes is missing or invalid", 'expected a list such as ["rooms/boardroom:book"]'
    return f"{name}: it is no table", f"expected a table [{name}]"


def _shared(panels: Iterable[Panel], reading_token: bytes | None) -> Iterator[_Fault]:
    """Tokens that must not be the same."""
    names: dict[bytes, str] = {}
    reading = hashlib.sha256(reading_token).digest() if reading_token is not None else None
    for panel in panels:
        other = names.setdefault(panel.digest, panel.name)
        if other != panel.name:
            yield f"[{other}] and [{panel.name}] have the same token", "give each panel a token of its own"
        if panel.digest == reading:
            yield f"[{panel.name}] has the token of http.token_file", "readers share that one: make another"


def _problem(path: Path, text: str, remedy: str) -> Problem:
    return Problem(_SETTING, f"{path}: {text}", remedy)


def _unread(path: Path, text: str, remedy: str) -> CannotStart:
    return CannotStart(Problem(_SETTING, f"{path}: {text}", remedy, unread=path))
