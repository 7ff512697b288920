"""What the tables of settings are made of: the base of a table, durations and texts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator

_LONGEST = timedelta(days=3650)
_UNITS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h|d)\s*", value)
        if found:
            seconds = float(found[1]) * _UNITS[found[2]]
            if seconds > _LONGEST.total_seconds():
                raise ValueError(f"expected a duration of at most {_LONGEST.days}d")
            return timedelta(seconds=seconds)
    raise ValueError('expected a duration such as "30s", "5m" or "1h"')


def as_text(value: object) -> object:
    """Accepts a number for a text: people write `floor = 3` and `protocol = 5`."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]


def _is_number(annotation: object) -> bool:
    """Whether a field takes a number, and no boolean."""
    kinds = get_args(annotation) or (annotation,)
    return bool not in kinds and (int in kinds or float in kinds)


class Table(BaseModel):
    """A table of settings, from which all others derive.

    It refuses keys that it does not know, and a boolean where a number is expected.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @field_validator("*", mode="before")
    @classmethod
    def _true_is_no_number(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, bool) and _is_number(cls.model_fields[info.field_name or ""].annotation):
            raise ValueError("expected a whole number")
        return value


def above_zero(value: timedelta) -> timedelta:
    """Refuses a duration of nothing."""
    if value <= timedelta(0):
        raise ValueError("expected a duration longer than nothing")
    return value
