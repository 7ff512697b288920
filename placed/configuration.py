"""From files, environment and systemd credentials to settings, and from a mistake to one clear line.

Later ones win: `placed.toml`, `placed.d/*.toml` beside it in the order of their names, systemd credentials
and environment variables named like `PLACED_MQTT__URL`. `[[connections]]` of several files add up.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import AfterValidator, Field, ValidationError, create_model

from placed.driver import DriverKind, find_drivers
from placed.settings import ENVIRONMENT_PREFIX, Settings, unique_connections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_FILE = Path("/etc/placed/placed.toml")
FILE_VARIABLE = "PLACED_CONFIG"  # names another file than the default

_NO_SETTINGS = frozenset({FILE_VARIABLE, "PLACED_URL"})  # the latter is an option of `placed rooms`

Location = tuple[str | int, ...]


class ConfigurationError(Exception):
    """The configuration can not be used. `problems` has a line for each mistake: where, what, instead."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(_one_line(problem) for problem in problems)
        super().__init__("\n".join(self.problems))


def _one_line(text: str) -> str:
    """With what a key or a value may hold of line breaks and control characters written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, the drivers that its connections need, and where each key was read."""

    settings: Settings
    drivers: Mapping[str, DriverKind]
    files: _Files

    def where(self, *location: str | int) -> str:
        """The file and key of a setting, for a message."""
        return _where(self.files, location)

    def located(self, problems: Iterable[str]) -> list[str]:
        """Problems that begin with a key, as `mqtt.url: ...`, with the file in front that the key is in."""
        return [self._located(problem) for problem in problems]

    def _located(self, problem: str) -> str:
        key, colon, rest = problem.partition(": ")
        steps = key.split(".")
        if not colon or steps[0] not in ("mqtt", "http"):
            return problem
        return f"{self.where(*steps)}: {rest}"


def load(path: Path | None = None, *, drivers: Mapping[str, DriverKind] | None = None) -> Configuration:
    """Reads the settings; `path` goes before $PLACED_CONFIG, that before /etc/placed.

    Raises:
        ConfigurationError: with all mistakes at once.
    """
    chosen = path or Path(os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)
    files = _read_files(chosen, required=path is not None or FILE_VARIABLE in os.environ)
    kinds = find_drivers() if drivers is None else drivers
    strange = _strange_variables()
    try:
        settings = _settings(_settings_type(kinds), files)
    except ValidationError as error:
        problems = [_problem(files, kinds, details) for details in error.errors()]
        raise ConfigurationError([*problems, *strange]) from None
    except RecursionError:
        told = f"environment: the JSON of a {ENVIRONMENT_PREFIX} variable is nested too deeply"
        raise ConfigurationError([told, *strange]) from None
    if strange:
        raise ConfigurationError(strange)
    return Configuration(settings, kinds, files)


# --- files --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Files:
    """What the files say together, and which file said it last."""

    main: Path
    read: list[Path] = field(default_factory=list)
    merged: dict[str, Any] = field(default_factory=dict)
    origin: dict[Location, Path] = field(default_factory=dict)

    def add(self, path: Path, content: dict[str, Any]) -> None:
        self.read.append(path)
        self._merge(path, self.merged, content, ())

    def _merge(self, path: Path, into: dict[str, Any], content: dict[str, Any], at: Location) -> None:
        for key, value in content.items():
            here = (*at, key)
            if isinstance(value, dict):
                self.origin.setdefault(here, path)
                existing = into.get(key)
                target = existing if isinstance(existing, dict) else {}
                into[key] = target
                self._merge(path, target, value, here)
            elif here == ("connections",) and isinstance(value, list) and isinstance(into.get(key), list):
                for item in value:
                    self.origin[*here, len(into[key])] = path
                    into[key].append(item)
            else:
                into[key] = value
                self.origin[here] = path

    def holding(self, location: Location) -> Path:
        """The file that holds the key, or else its table."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.origin:
                return self.origin[location[:length]]
        return self.main


def _read_files(main: Path, *, required: bool) -> _Files:
    files = _Files(main)
    problems = []
    dropins = sorted(main.with_name("placed.d").glob("*.toml"))
    if not (required or main.exists() or dropins or f"{ENVIRONMENT_PREFIX}CONNECTIONS" in os.environ):
        raise ConfigurationError([f"{main}: there is no such file; write it, or name another with --config"])
    for path in ([main] if required or main.exists() else []) + dropins:
        try:
            files.add(path, tomllib.loads(path.read_text("utf-8")))
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{path}: no valid TOML: {error}")
        except UnicodeDecodeError as error:
            problems.append(f"{path}: expected UTF-8 text, found byte {error.object[error.start]:#04x}")
        except (
            ValueError,
            RecursionError,
        ):  # a number of thousands of digits, a list in a list in a list ...
            problems.append(f"{path}: no valid TOML: a number is too long, or lists are nested too deeply")
        except OSError as error:
            problems.append(f"{path}: can not be read: {error.strerror}")
    if problems:
        raise ConfigurationError(problems)
    return files


def _settings(kind: type[Settings], files: _Files) -> Settings:
    if not _is_set_elsewhere():
        return kind(**files.merged)
    from placed import environment  # noqa: PLC0415 - see there

    try:
        return environment.over(kind, files.merged)
    except environment.Unreadable as error:
        raise ConfigurationError([f"environment: {error}", *_strange_variables()]) from None


def _is_set_elsewhere() -> bool:
    """Whether a variable or a credential may set anything."""
    names = [name for name in os.environ if name not in _NO_SETTINGS]
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials:
        try:
            names += [path.name for path in Path(credentials).iterdir()]
        except FileNotFoundError:
            pass
        except OSError:
            return True  # what is wrong with it is told when it is read
    return any(name.upper().startswith(ENVIRONMENT_PREFIX) for name in names)


def _strange_variables() -> list[str]:
    known = {f"{ENVIRONMENT_PREFIX}{name}".upper() for name in Settings.model_fields}
    names = (n for n in os.environ if n.startswith(ENVIRONMENT_PREFIX) and n not in _NO_SETTINGS)
    return [
        f"environment: {name}: unknown setting{_did_you_mean(name, known)}"
        for name in sorted(names)
        if name.upper().partition("__")[0] not in known
    ]


# --- the type of the settings, with what the installed drivers add ----------------------------------------


def _settings_type(kinds: Mapping[str, DriverKind]) -> type[Settings]:
    own = tuple(kind.Settings for kind in kinds.values())
    one: Any = Annotated[Union[own], Field(discriminator="driver")] if len(own) > 1 else own[0]  # noqa: UP007

    connections = Annotated[tuple[one, ...], AfterValidator(unique_connections), Field(min_length=1)]
    return create_model("Settings", __base__=Settings, connections=(connections, ...))


# --- mistakes -----------------------------------------------------------------------------------------------

_SECRET_WORDS = ("secret", "password", "token", "key")


def _problem(files: _Files, kinds: Mapping[str, DriverKind], details: Any) -> str:
    location: Location = tuple(
        step
        for depth, step in enumerate(details["loc"])
        if not (depth == 2 and step in kinds)  # noqa: PLR2004 - the union's tag
    )
    kind, found = details["type"], details["input"]
    where = _where(files, location)
    if kind == "extra_forbidden":
        return f"{where}: unknown key{_did_you_mean(str(location[-1]), _siblings(location, kinds))}"
    if kind == "missing":
        return f"{where}: missing; expected: {_description(location, kinds)}"
    if kind in ("union_tag_not_found", "union_tag_invalid", "literal_error") and _is_driver(location, kind):
        return f"{where}: unknown driver; installed: {', '.join(sorted(kinds))}"
    if kind == "value_error":
        return f"{where}: {_shown(location, found)}{details['ctx']['error']}"
    return f"{where}: {_shown(location, found)}{details['msg'][0].lower()}{details['msg'][1:]}"


def _is_driver(location: Location, kind: str) -> bool:
    return location[-1] == "driver" or kind.startswith("union_tag")


def _shown(location: Location, found: object) -> str:
    """What was found, unless it could be a secret."""
    if isinstance(found, (dict, list, tuple)):
        return ""
    login = isinstance(found, str) and "://" in found and "@" in found
    table = isinstance(found, str) and found.lstrip().startswith(("{", "["))  # JSON of a variable, half of it
    if login or table or any(word in str(step) for step in location for word in _SECRET_WORDS):
        return f"found a {type(found).__name__}, "
    return f"found {str(found)[:60]!r}, " if isinstance(found, str) else f"found {found!r}, "


def _where(files: _Files, location: Location) -> str:
    key = ""
    for step in location:
        if isinstance(step, int):
            key += f"[{step}]"
        elif "." in step or "@" in step:
            key += f'."{step}"'
        else:
            key += f".{step}"
    variable = ENVIRONMENT_PREFIX + "__".join(str(step) for step in location)
    if any(name.upper() == variable.upper() for name in os.environ):
        return f"environment: {variable.upper()}"
    return f"{files.holding(location)}: {key.removeprefix('.')}"


def _fields(location: Location, kinds: Mapping[str, DriverKind]) -> Any:
    """The fields of the table that holds the key, as far as the tree tells."""
    if location[:1] == ("connections",):
        fields: dict[str, Any] = {}
        for driver in kinds.values():
            fields |= driver.Settings.model_fields
    else:
        fields = dict(Settings.model_fields)
    steps = location[2:-1] if location[:1] == ("connections",) else location[:-1]
    for step in steps:
        annotation = fields[step].annotation if step in fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        table = next((c for c in candidates if hasattr(c, "model_fields")), None)
        fields = dict(table.model_fields) if table else fields
    return fields


def _siblings(location: Location, kinds: Mapping[str, DriverKind]) -> set[str]:
    return set(_fields(location, kinds))


def _description(location: Location, kinds: Mapping[str, DriverKind]) -> str:
    known = _fields(location, kinds).get(location[-1])
    return known.description if known and known.description else "a value"


def _did_you_mean(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"
