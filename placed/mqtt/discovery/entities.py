"""The entities of rooms and of the bridge in Home Assistant: names, kinds and templates. Pure."""

from __future__ import annotations

from typing import Any

from placed.domain.model import Reason, Status

_DIAGNOSTIC = {"entity_category": "diagnostic"}


def while_valid(value: str, otherwise: str) -> str:
    """Returns a template for `value`, which is valid until `valid_until` by Home Assistant's clock.

    Home Assistant evaluates it when a message arrives. `expire_after` and `availability` make sure that an
    entity does not show an old value for ever.
    """
    fresh = "as_timestamp(value_json.valid_until, 0) > as_timestamp(now())"
    return f"{{{{ {value} if {fresh} else {otherwise} }}}}"


# `None` is an unknown state in a sensor and a binary_sensor. For an enum sensor not every version accepts it,
# but all versions show `unknown`.
ROOM: dict[str, dict[str, Any]] = {
    "occupancy": {
        "name": "Occupancy",
        "device_class": "occupancy",
        "value_template": while_valid("{true: 'ON', false: 'OFF'}.get(value_json.occupied)", "None"),
    },
    "status": {
        "name": "Status",
        "device_class": "enum",
        "options": [status.value for status in Status],
        "value_template": while_valid("value_json.status", "'unknown'"),
    },
    "busy_until": {
        "name": "Busy until",
        "device_class": "timestamp",
        "value_template": while_valid("value_json.busy_until", "None"),
    },
    "free_until": {
        "name": "Free until",
        "device_class": "timestamp",
        "value_template": while_valid("value_json.free_until", "None"),
    },
    "next_start": {
        "name": "Next meeting",
        "device_class": "timestamp",
        "value_template": while_valid("(value_json.next or {'start': None}).start", "None"),
    },
    "stale": {
        "name": "Calendar",
        "device_class": "problem",
        "value_template": while_valid(
            "('ON' if value_json.stale or value_json.status == 'unknown' else 'OFF')", "'ON'"
        ),
        **_DIAGNOSTIC,
    },
    "reason": {
        "name": "Reason",
        "device_class": "enum",
        "options": ["none", *(reason.value for reason in Reason)],
        "value_template": while_valid("(value_json.reason or 'none')", f"'{Reason.EXPIRED}'"),
        **_DIAGNOSTIC,
    },
}
# Of rooms with a presence sensor. It expires by itself within the statement.
PRESENCE: dict[str, Any] = {
    "name": "Presence",
    "device_class": "occupancy",
    "value_template": while_valid(
        "{'present': 'ON', 'empty': 'OFF'}.get((value_json.presence or {'state': None}).state)", "None"
    ),
}
# These entities show why a room is unknown, so they must be available then.
EXPLAIN_UNKNOWN = {"stale", "reason"}

BRIDGE: dict[str, dict[str, Any]] = {
    "connection": {
        "name": "Connection",
        "device_class": "connectivity",
        "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
        **_DIAGNOSTIC,
    },
    "problem": {
        "name": "Calendar services",
        "device_class": "problem",
        "value_template": (
            "{{ 'ON' if value_json.connections | rejectattr('state', 'in', ['ok', 'starting']) | list"
            " else 'OFF' }}"
        ),
        **_DIAGNOSTIC,
    },
}
