"""Templates of Home Assistant, rendered by Jinja's sandbox with the functions that they use.

Home Assistant's own environment is a sandbox of Jinja, too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

BUTTON = "button.renamed_by_somebody"
_DEVICE = "the-device"


def as_timestamp(value: datetime | str | None, default: float = 0) -> float:
    """Seconds since 1970; the default for what is no time."""
    try:
        return (value if isinstance(value, datetime) else datetime.fromisoformat(str(value))).timestamp()
    except ValueError:
        return default


def timestamp_custom(value: float, form: str, local: bool = True) -> str:  # noqa: FBT001, FBT002 - as there
    """A time of day in a form."""
    assert not local
    return datetime.fromtimestamp(value, UTC).strftime(form)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment()
    environment.filters["timestamp_custom"] = timestamp_custom
    return environment


def pressed(template: str, attributes: Mapping[str, Any] | None, now: datetime) -> bytes:
    """What a button sends now.

    Args:
        template: the button's command template.
        attributes: of the status of its room; None while that is unavailable.
        now: Home Assistant's time.
    """
    entities = {
        BUTTON: {"state": "unknown", "attributes": {"friendly_name": "Boardroom"}},
        "sensor.renamed": {"state": "busy", "attributes": dict(attributes or {})},
    }
    functions = {
        "utcnow": lambda: now,
        "timedelta": timedelta,
        "as_timestamp": as_timestamp,
        "device_id": {BUTTON: _DEVICE}.__getitem__,
        "device_entities": {_DEVICE: list(entities)}.__getitem__,
        "expand": lambda ids: [entities[entity_id] for entity_id in ids],
        "entity_id": BUTTON,
    }
    return _environment().from_string(template).render(functions).encode()


def attributes_of(template: str, state: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The attributes that a template makes of a room's state."""
    functions = {"as_timestamp": as_timestamp, "now": lambda: now, "value_json": state}
    attributes: dict[str, Any] = json.loads(_environment().from_string(template).render(functions))
    return attributes
