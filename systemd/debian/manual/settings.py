"""placed.toml(5): every table and key, from the settings' own descriptions."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from placed.driver import find_drivers
from placed.settings.schema import Settings
from systemd.debian.manual.roff import Page, bold, italic, prose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pydantic.fields import FieldInfo

_EXAMPLE = """
[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "contoso.onmicrosoft.com"
client_id = "00000000-0000-0000-0000-000000000000"
certificate = "$CREDENTIALS_DIRECTORY/secrets_contoso.pem"
rooms = ["boardroom@contoso.com"]
time_zone = "Europe/Berlin"

[connections.fence]
canaries = ["someone@contoso.com"]

[mqtt]
url = "mqtts://broker.contoso.com:8883"
"""
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_PLAIN = {
    bool: "true or false",
    int: "whole number",
    str: "text",
    Path: "file",
    ZoneInfo: "time zone",
    timedelta: "duration",
}


def page(version: str, day: date) -> Page:
    """The manual page of the configuration."""
    made = Page("placed.toml", 5, "the configuration of placed", version, day)
    made.section_of("Synopsis")
    made.paragraph(r"\fB/etc/placed/placed.toml\fR").paragraph(r"\fB/etc/placed/placed.d/*.toml\fR")
    made.section_of("Description")
    made.paragraph(
        prose(
            "TOML. `placed.d/*.toml` is read after `placed.toml`, in the order of the files' names; later "
            "files override earlier ones, and `[[connections]]` of several files add up. Environment "
            "variables override files: `PLACED_MQTT__URL` sets the key `url` of the table `[mqtt]`. `placed "
            "check` reports all errors at once, and `systemctl reload placed` reloads the configuration."
        )
    )
    made.paragraph(
        prose(
            "A duration is written as `30s`, `5m`, `1h` or `2d`, in quotes. The name of a file may begin "
            "with `$CREDENTIALS_DIRECTORY`: under systemd, `/etc/placed/secrets/NAME` is "
            "`$CREDENTIALS_DIRECTORY/secrets_NAME`."
        )
    )
    for header, model in dict.fromkeys(_tables()):  # drivers have tables in common
        _table(made, header, model)
    made.section_of("Example").example(_EXAMPLE)
    made.section_of("See also")
    return made.paragraph(r"\fBplaced\fR(1), \fI/usr/share/doc/placed/config/placed.toml\fR")


def _tables() -> Iterator[tuple[str, type[BaseModel]]]:
    """Each table's header, and what describes its keys."""
    for name, field in Settings.model_fields.items():
        if name == "connections":
            for driver, kind in sorted(find_drivers().items(), reverse=True):
                yield from _with_inner(f'[[connections]] with driver = "{driver}"', name, kind.Settings)
        else:
            header = '[rooms."ADDRESS"]' if name == "rooms" else f"[{name}]"
            for model in _models(field.annotation):
                yield from _with_inner(header, name, model)


def _with_inner(header: str, name: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield header, model
    for key, field in model.model_fields.items():
        for inner in _models(field.annotation):
            yield from _with_inner(f"[{name}.{key}]", f"{name}.{key}", inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _table(made: Page, header: str, model: type[BaseModel]) -> None:
    made.section_of(f"The table {header}").paragraph(prose(model.__doc__ or ""))
    for name, field in model.model_fields.items():
        if next(_models(field.annotation), None) is not None:
            continue  # a table of its own
        kind = f"{bold(name)} = {italic(_kind(field.annotation))}"
        made.entry(kind, prose(field.description or ""), *_default(field))


def _kind(annotation: Any) -> str:  # noqa: PLR0911 - one for each kind
    """The kind of value that is written, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_kind(argument) for argument in arguments if argument is not NoneType)
    if origin is Literal:
        return " | ".join(_value(word) for word in arguments)
    if origin in (tuple, list, frozenset, set):
        return f"[{_kind(arguments[0])}, ...]"
    if origin is dict:
        return f"{{ name = {_kind(arguments[1])}, ... }}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(_value(member) for member in annotation)
    if annotation not in _PLAIN and annotation.__module__.startswith("placed"):
        return _PLAIN[str]  # a class of a driver, made of what is written
    return _PLAIN[annotation]


def _default(field: FieldInfo) -> list[str]:
    if field.is_required():
        return ["It has to be there."]
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None or (isinstance(default, (tuple, frozenset, dict)) and not default):
        return []
    return [f"Default: {bold(_value(default))}"]


def _value(value: object) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f'"{_duration(value)}"'
    if isinstance(value, Enum):
        return _value(value.value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, frozenset):
        return _value(sorted(value))
    return str(value) if isinstance(value, int) else f'"{value}"'


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    size, unit = next(
        (size, unit) for size, unit in _UNITS if (seconds % size == 0 and seconds >= size) or size == 1
    )
    return f"{seconds // size}{unit}"
