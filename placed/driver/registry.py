"""Finds the installed drivers: entry points of the group `placed.drivers` that name a `DriverKind`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from placed.driver.protocol import DriverKind

GROUP = "placed.drivers"


def find_drivers(names: Collection[str] | None = None) -> dict[str, DriverKind]:
    """Imports the installed drivers of these names, or every one, and returns them by name.

    A daemon imports only what its connections need, since each driver takes a MiB of memory.
    """
    installed = entry_points(group=GROUP)
    return {found.name: found.load() for found in installed if names is None or found.name in names}


def driver_packages() -> list[str]:
    """The top-level packages of all installed drivers, none of which is imported."""
    return sorted({found.module.partition(".")[0] for found in entry_points(group=GROUP)})
