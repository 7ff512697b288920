"""Makes the findings from waiting for a message of every sensor. Pure."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from placed.domain.problem import Problem
from placed.driver import Finding, Verdict
from placed.sensors.counts import NO_DEVICE
from placed.sensors.payload.message_to_reading import NoReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import timedelta

    from placed.doctor.sensors_heard import TableTrial
    from placed.settings.sensor_settings import SensorSettings

    Locate = Callable[[Problem, int, str], Problem]  # puts the place of a table's key into a problem

CHECK = "sensors"
_FEW = 5  # sensors and tables that are named
_SILENT = (
    "check that they are switched on, and that their topics are those of the settings; "
    "for sensors that send less often: placed doctor --wait 10m"
)


def judge_sensors(tables: Sequence[TableTrial], wait: timedelta, locate: Locate) -> list[Finding]:
    """Returns the findings `sensors`.

    Args:
        tables: those that were subscribed to.
        wait: how long they were waited for.
        locate: puts the place of a table's key into a problem.
    """
    tables = [table for table in tables if table.subscribed]
    total = sum(table.size for table in tables)
    read = total - sum(len(table.waiting) for table in tables)
    findings: list[Finding] = []
    if read:
        some = f"{read:,} of {total:,} sensors" if read < total else _sensors(total)
        findings.append(Finding.of(CHECK, Verdict.GOOD, f"{some} sent a message that is read"))
    unread = [finding for table in tables for finding in _unread(table, locate)]
    findings += unread[:_FEW]
    if len(unread) > _FEW:
        text = f"{len(unread) - _FEW:,} more tables of sensors are not read"
        findings.append(Finding.of(CHECK, Verdict.BAD, text, unread[0].remedy))
    lost = [name for table in tables for name in _without_message(table, unavailable=True)]
    if lost:
        text = f"{_sensors(len(lost))} report that the device is unavailable{_names(lost)}"
        remedy = "check the power, the battery and the network of the devices"
        findings.append(Finding.of(CHECK, Verdict.DOUBTFUL, text, remedy))
    silent = [name for table in tables for name in _without_message(table, unavailable=False)]
    if silent:
        text = f"no message of {_sensors(len(silent))} in {wait.total_seconds():.0f} s{_names(silent)}"
        findings.append(Finding.of(CHECK, Verdict.DOUBTFUL, text, _SILENT))
    return findings


def judge_webhooks(tables: Iterable[SensorSettings]) -> list[Finding]:
    """Returns the finding of sensors that are not waited for, as the daemon alone takes what they send."""
    number = sum(table.topic is None for table in tables)
    if not number:
        return []
    webhooks = "webhook" if number == 1 else "webhooks"
    text = f"{number:,} {webhooks}: the token files are good; no message is tried"
    return [Finding.of(CHECK, Verdict.GOOD, text)]


def judge_rooms(tables: Sequence[SensorSettings], rooms: Iterable[str], locate: Locate) -> list[Finding]:
    """Returns findings of tables that name rooms which no connection has."""
    known = set(rooms)
    findings: list[Finding] = []
    for place, table in enumerate(tables):
        for key, named in (("room", {table.room} - {None}), ("rooms", set(table.rooms.values()))):
            unknown = sorted(str(room) for room in named - known)
            if unknown:
                problem = Problem("", f"no connection has the room{_names(unknown)}", "name the id of a room")
                findings.append(Finding(CHECK, Verdict.DOUBTFUL, locate(problem, place, key)))
    return findings


def _unread(table: TableTrial, locate: Locate) -> list[Finding]:
    """The finding of a table with messages that are not read, and not only as a device is unavailable."""
    counted: dict[str, list[str]] = {}
    nothing_read = len(table.waiting) == table.size
    for device in sorted(table.waiting | ({None} if nothing_read else set()), key=str):
        reasons = [reason for reason in table.reasons(device) if reason != NoReading.UNAVAILABLE]
        if reasons:
            counted.setdefault(reasons[0], []).append(table.name(device))
    if not counted:
        return []
    reason, names = max(counted.items(), key=lambda item: len(item[1]))
    key, words = why_unread(table.route.settings, reason)
    others = f" ({len(names):,} devices)" if len(names) > 1 else ""
    trial = f"placed sensors --try FILE --name {quote(table.route.name)}"
    remedy = f"compare it with a message of the sensor: {trial}"
    problem = Problem("", f"{table.route.name}{others}: {words}", remedy)
    return [Finding(CHECK, Verdict.BAD, locate(problem, table.place, key))]


def why_unread(settings: SensorSettings, reason: str) -> tuple[str, str]:
    """Returns the key that a reason is about, and what is wrong, with the expressions and no message."""
    if reason == NO_DEVICE:
        return "device", f'the message has no device at "{settings.device}"'
    given = [(key, value) for key in ("presence", "count") if (value := getattr(settings, key)) is not None]
    at = " and ".join(f'{key} "{value}"' for key, value in given)
    words = {
        NoReading.NO_VALUE: f"the message has no value at {at}",
        NoReading.UNUSABLE_VALUE: f"the value at {at} means neither present nor empty",
        NoReading.TOO_LARGE: "the message is larger than 64 KiB",
        NoReading.NOT_UTF8: "the message is not UTF-8",
    }
    return given[0][0], words.get(NoReading(reason), reason)


def _without_message(table: TableTrial, *, unavailable: bool) -> list[str]:
    """The names of the sensors without a message, or with messages that the device is unavailable alone."""
    reasons = {device: table.reasons(device) for device in table.waiting}
    if not unavailable and None not in table.waiting and table.reasons(None):
        return []  # messages came, but do not name a device
    wanted = [NoReading.UNAVAILABLE] if unavailable else []
    return sorted(table.name(device) for device, found in reasons.items() if found == wanted)


def _sensors(number: int) -> str:
    return f"{number:,} sensor{'' if number == 1 else 's'}"


def _names(names: Sequence[str]) -> str:
    """`: radar, pir and 3 more`."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return f": {', '.join(names[:_FEW])}{more}"
