"""From files, environment and systemd credentials to settings, and from a mistake to one clear line.

Later ones win: `placed.toml`, `placed.d/*.toml` beside it in the order of their names, systemd credentials
and environment variables named like `PLACED_MQTT__URL`. `[[connections]]` and `[[sensors]]` of several files
add up.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationError, create_model

from placed.domain.problem import Problem
from placed.driver import DriverKind, find_drivers
from placed.settings.error_messages import ENVIRONMENT, called, did_you_mean
from placed.settings.files import Location, SettingsFiles, UnreadableFiles, read_files
from placed.settings.schema import ENVIRONMENT_PREFIX, Settings, unique_connections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_FILE = Path("/etc/placed/placed.toml")
FILE_VARIABLE = "PLACED_CONFIG"  # names another file than the default

_KEYS = re.compile(r"[\w-]+(\.[\w-]+)+")
_NO_SETTINGS = frozenset({FILE_VARIABLE, "PLACED_URL"})  # the latter is an option of `placed rooms`


class ConfigurationError(Exception):
    """The configuration is invalid. `problems` has one for each mistake."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.line for problem in problems))


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, the drivers that its connections need, and where each key was read."""

    settings: Settings
    drivers: Mapping[str, DriverKind]
    files: SettingsFiles

    def where(self, *location: str | int) -> str:
        """The file and key of a setting, for a message."""
        return ": ".join(part for part in _where(self.files, location) if part)

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems; those with a key of `[mqtt]` or `[http]` have the file that the key is in."""
        return [self._located(problem) for problem in problems]

    def locate(self, problem: Problem, *location: str | int) -> Problem:
        """The problem with the file and key of this setting; its last step may be keys with dots."""
        *above, last = location
        below = last.split(".") if isinstance(last, str) and _KEYS.fullmatch(last) else [last]
        file, key = _where(self.files, (*above, *below))
        return problem.at(key, file)

    def _located(self, problem: Problem) -> Problem:
        steps = problem.key.split(".")
        located = problem.file or steps[0] not in ("mqtt", "http")
        return problem if located else self.locate(problem, *steps)


def load(path: Path | None = None, *, drivers: Mapping[str, DriverKind] | None = None) -> Configuration:
    """Reads the settings; `path` goes before $PLACED_CONFIG, that before /etc/placed.

    Raises:
        ConfigurationError: with all mistakes at once.
    """
    chosen = path or Path(os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)
    files = _read_files(chosen, required=path is not None or FILE_VARIABLE in os.environ)
    kinds = _drivers_for(files) if drivers is None else drivers
    strange = _strange_variables()
    try:
        settings = _settings(_settings_type(kinds), files)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems = [called(details, kinds, partial(_where, files)) for details in found]
        raise ConfigurationError([*problems, *strange]) from None
    except RecursionError:
        text = f"the JSON of a {ENVIRONMENT_PREFIX} variable is nested too deeply"
        raise ConfigurationError([Problem("", text, file=ENVIRONMENT), *strange]) from None
    if strange:
        raise ConfigurationError(strange)
    return Configuration(settings, kinds, files)


# --- files --------------------------------------------------------------------------------------------------


def _read_files(main: Path, *, required: bool) -> SettingsFiles:
    try:
        files = read_files(main, required=required)
    except UnreadableFiles as error:
        raise ConfigurationError(error.problems) from None
    if not files.read and f"{ENVIRONMENT_PREFIX}CONNECTIONS" not in os.environ:
        remedy = "write it, or name another with --config"
        raise ConfigurationError([Problem("", "there is no such file", remedy, file=str(main))])
    return files


def _drivers_for(files: SettingsFiles) -> Mapping[str, DriverKind]:
    """The drivers that the connections name; all installed ones if a connection names none of these."""
    tables = files.merged.get("connections")
    if _is_set_elsewhere(f"{ENVIRONMENT_PREFIX}CONNECTIONS") or not isinstance(tables, list):
        return find_drivers()
    named = {table.get("driver") if isinstance(table, dict) else None for table in tables}
    found = find_drivers([name for name in named if isinstance(name, str)])
    return found if named and named == found.keys() else find_drivers()


def _settings(kind: type[Settings], files: SettingsFiles) -> Settings:
    if not _is_set_elsewhere():
        return kind(**files.merged)
    if any(name.upper().startswith(f"{ENVIRONMENT_PREFIX}CONNECTIONS__") for name in os.environ):
        raise ConfigurationError(_strange_variables())
    from placed.settings import environment  # noqa: PLC0415 - see there

    try:
        return environment.over(kind, files.merged)
    except environment.Unreadable as error:
        raise ConfigurationError([error.problem, *_strange_variables()]) from None


def _is_set_elsewhere(prefix: str = ENVIRONMENT_PREFIX) -> bool:
    """Whether a variable or a credential whose name begins like this may set anything."""
    names = [name for name in os.environ if name not in _NO_SETTINGS]
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials:
        try:
            names += [path.name for path in Path(credentials).iterdir()]
        except FileNotFoundError:
            pass
        except OSError as error:
            expected = "expected the folder of systemd's credentials"
            text = f"{credentials} cannot be read: {error.strerror}; {expected}"
            remedy = "unset it, or start the service: systemctl start placed"
            raise ConfigurationError(
                [Problem("CREDENTIALS_DIRECTORY", text, remedy, file=ENVIRONMENT)]
            ) from None
    return any(name.upper().startswith(prefix) for name in names)


def _strange_variables() -> list[Problem]:
    known = {f"{ENVIRONMENT_PREFIX}{name}".upper() for name in Settings.model_fields}
    names = sorted(n for n in os.environ if n.startswith(ENVIRONMENT_PREFIX) and n not in _NO_SETTINGS)
    of_one = f"{ENVIRONMENT_PREFIX}CONNECTIONS__"
    return [
        *(
            Problem(name, f"unknown setting{did_you_mean(name, known)}", file=ENVIRONMENT)
            for name in names
            if name.upper().partition("__")[0] not in known
        ),
        *(
            Problem(
                name,
                "a connection cannot be set key by key",
                f"set {ENVIRONMENT_PREFIX}CONNECTIONS to JSON, or write a file in placed.d",
                file=ENVIRONMENT,
            )
            for name in names
            if name.upper().startswith(of_one)
        ),
    ]


# --- the type of the settings, with what the installed drivers add ----------------------------------------


def _driver_named(table: object) -> str | None:
    """The driver that a table names, as the tag of the union of all drivers' tables."""
    named = table.get("driver") if isinstance(table, dict) else getattr(table, "driver", None)
    return named if named is None or isinstance(named, str) else str(named)


def _settings_type(kinds: Mapping[str, DriverKind]) -> type[Settings]:
    own = tuple(kind.Settings for kind in kinds.values())
    one: Any = own[0]
    if len(own) > 1:
        tagged = tuple(Annotated[kind.Settings, Tag(name)] for name, kind in kinds.items())
        one = Annotated[Union[tagged], Discriminator(_driver_named)]  # noqa: UP007

    connections = Annotated[tuple[one, ...], AfterValidator(unique_connections), Field(min_length=1)]
    return create_model("Settings", __base__=Settings, connections=(connections, ...))


# --- where a mistake is -------------------------------------------------------------------------------------


def _where(files: SettingsFiles, location: Location) -> tuple[str, str]:
    """What holds a setting, and the setting's name there."""
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
        return ENVIRONMENT, variable.upper()
    if (credential := _credential(variable)) is not None:
        return str(credential), ""
    return str(files.holding(location)), key.removeprefix(".")


def _credential(variable: str) -> Path | None:
    """The file among systemd's credentials that sets what the variable would."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    with suppress(OSError):
        for path in Path(folder).iterdir() if folder else ():
            if path.name.upper() == variable.upper():
                return path
    return None
