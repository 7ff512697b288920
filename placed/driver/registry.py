"""Finds the installed drivers: entry points of the group `placed.drivers` that name a `DriverKind`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.driver.protocol import DriverKind

GROUP = "placed.drivers"


def find_drivers() -> dict[str, DriverKind]:
    """Every installed driver, by name."""
    return {found.name: found.load() for found in entry_points(group=GROUP)}


def driver_packages() -> list[str]:
    """The top-level packages of all installed drivers, none of which is imported."""
    return sorted({found.module.partition(".")[0] for found in entry_points(group=GROUP)})
