"""`placed sensors`: shows what a message of a sensor gives."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from placed.cli.options import ConfigOption, cannot_start, printable

if TYPE_CHECKING:
    from placed.sensors.routing import Route


def sensors(
    payload: Annotated[
        Path, typer.Option("--try", metavar="FILE", help="A file with one message, as the sensor sends it.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="N", help="The sensor. [dim]Default: all of them[/dim]")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", metavar="TOPIC", help="The topic on which it was published.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Show what a message gives: the reading, or why it gives none; the device and the room.

    Uses no network. Exit codes: 0 a sensor uses it, 1 none does, 2 usage, 3 invalid settings.
    """
    from placed.domain.exit_errors import ExitCode
    from placed.sensors.routing import routes_of
    from placed.settings.loader import ConfigurationError, load

    try:
        settings = load(config).settings
    except ConfigurationError as error:
        raise cannot_start(error.problems) from None
    routes = routes_of(settings.sensors)
    chosen = [route for route in routes if name in (None, route.name)]
    if not chosen:
        known = ", ".join(route.name for route in routes) or "there are none"
        text = (
            f"there is no sensor {name}; name one of: {known}" if name else "the settings have no [[sensors]]"
        )
        raise typer.BadParameter(printable(text), param_hint="--name")
    try:
        content = payload.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{payload}: {error.strerror}", param_hint="--try") from None
    shown = [_tried(route, content, topic) for route in chosen]
    for _, line in shown:
        typer.echo(printable(line))
    raise typer.Exit(ExitCode.DONE if any(good for good, _ in shown) else ExitCode.FAILED)


def _tried(route: Route, payload: bytes, topic: str | None) -> tuple[bool, str]:
    """Whether a sensor reads a message, and a line about it."""
    from datetime import UTC, datetime

    from placed.sensors.routing import Matched
    from placed.sensors.topic_tree import TopicTree

    matched = Matched()
    if topic is not None and route.topic is None:
        return False, f"{route.name}: it is a webhook, so no message of {topic} reaches it"
    if topic is not None and route.topic is not None:
        tree: TopicTree[str] = TopicTree()
        tree.add(route.topic.filter, "topic")
        if route.availability is not None:
            tree.add(route.availability.filter, "available")
        found = tree.find(topic)
        if "topic" not in found and found:
            return _availability(route, payload)
        if not found:
            return False, f"{route.name}: its topic {route.settings.topic} does not match {topic}"
        matched = route.topic.match(topic)
    mapped = route.mapping.read(payload, datetime.now(UTC))
    device = matched.device if matched.device is not None else mapped.device
    room = route.room_of(matched, device)
    parts = []
    if mapped.reading is not None:
        parts.append("present" if mapped.reading.present else "empty")
        if mapped.reading.count is not None:
            parts.append(f"count {mapped.reading.count}")
        if mapped.measured_at is not None:
            parts.append(f"measured at {mapped.measured_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    else:
        parts.append(f"no reading: {_why(route, str(mapped.nothing))}")
    if device is not None:
        parts.append(f"device {device}")
    parts.append(f"room {room}" if room is not None else _no_room(route, topic, device))
    unknown_device = bool(route.settings.rooms) and device is not None and room is None
    return mapped.reading is not None and not unknown_device, f"{route.name}: {', '.join(parts)}"


def _availability(route: Route, payload: bytes) -> tuple[bool, str]:
    """Whether a message states that the device is there or is not, and a line about it."""
    available, settings = route.is_available(payload), route.settings.available
    if available is None and settings is not None:
        return False, f'{route.name}: the message has no value at available.path "{settings.path}"'
    words = "the device is there" if available else "the device is not there, so its room is unknown"
    return True, f"{route.name}: {words}"


def _why(route: Route, reason: str) -> str:
    from placed.doctor.sensor_findings import why_unread

    if reason == "unavailable":
        return "the device is reported as unavailable, so its room is unknown"
    return why_unread(route.settings, reason)[1]


def _no_room(route: Route, topic: str | None, device: str | None) -> str:
    from placed.sensors.counts import NO_DEVICE

    if route.settings.rooms and device is not None:
        return "which is not in rooms: the settings name no room for it"
    if topic is None and route.topic is not None and ("{" in (route.settings.topic or "")):
        named = "device" if route.settings.rooms else "room"
        return f"the {named} is in the topic: add --topic"
    return f"no room: {_why(route, NO_DEVICE)}"
