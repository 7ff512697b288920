"""What every table of settings has in common, found by introspection, so that new keys are covered."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from placed.driver import find_drivers
from placed.driver.setting_values import Table
from placed.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


def parts(annotation: Any) -> Iterator[type]:
    """The types that an annotation is made of."""
    if get_origin(annotation) is Annotated:
        yield from parts(get_args(annotation)[0])
    elif get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for part in get_args(annotation):
            yield from parts(part)
    elif isinstance(annotation, type):
        yield annotation


def tables(*roots: type[BaseModel]) -> set[type[BaseModel]]:
    """These tables, and all those in them."""
    found: set[type[BaseModel]] = set()
    waiting = list(roots)
    while waiting:
        table = waiting.pop()
        if table not in found:
            found.add(table)
            for field in table.model_fields.values():
                waiting += [part for part in parts(field.annotation) if issubclass(part, BaseModel)]
    return found


TABLES = sorted(
    tables(Settings, *(kind.Settings for kind in find_drivers().values())),
    key=lambda table: f"{table.__module__}.{table.__qualname__}",
)
NUMBERS = [
    pytest.param(table, name, id=f"{table.__module__}.{table.__qualname__}.{name}")
    for table in TABLES
    for name, field in table.model_fields.items()
    if {int, float} & set(parts(field.annotation)) and bool not in parts(field.annotation)
]


def test_the_search_finds_the_numbers_of_every_folder() -> None:
    names = {f"{param.values[0].__name__}.{param.values[1]}" for param in NUMBERS}  # type: ignore[union-attr] # a table
    assert names >= {
        "Polling.days_ahead",
        "Polling.budget",
        "RoomSettings.capacity",
        "Http.max_clients",
        "NoShowSettings.at_most",
        "GoogleSettings.requests_per_minute",
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.__module__}.{table.__qualname__}")
def test_every_table_derives_from_the_base_of_tables(table: type[BaseModel]) -> None:
    assert issubclass(table, Table)
    assert table.model_config.get("extra") == "forbid"
    assert table.model_config.get("frozen")


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(("table", "name"), NUMBERS)
def test_true_and_false_are_refused_where_a_number_is_expected(
    table: type[BaseModel], name: str, value: object
) -> None:
    with pytest.raises(ValidationError) as caught:
        table.model_validate({name: value})
    (of_field,) = [error for error in caught.value.errors() if error["loc"][:1] == (name,)]
    assert "expected a whole number" in of_field["msg"]
