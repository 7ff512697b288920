"""Kits, written to try them."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from placed_google.setup_kit import write_actions_kit, write_kit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.driver import Kit

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
PROJECT = "fabrikam-placed"
ACCOUNT = f"placed-fabrikam@{PROJECT}.iam.gserviceaccount.com"
WRITER = f"placed-fabrikam-actions@{PROJECT}.iam.gserviceaccount.com"
BOARDROOM, LIBRARY = (f"c_188{n}@resource.calendar.google.com" for n in "ab")
GIVEN = {
    "project": PROJECT,
    "fence.canaries": "ada@fabrikam.example,grace@fabrikam.example",
    "time_zone": "Europe/Berlin",
}
ROOMS = {"rooms": f"{BOARDROOM},{LIBRARY}"}
DIRECTORY = {"customer": "C01abc234"}
VARIANTS: dict[str, Mapping[str, str]] = {
    "rooms": ROOMS,
    "directory": DIRECTORY,
    "group": {**ROOMS, "share_with": "placed-rooms@fabrikam.example"},
    "query": {**DIRECTORY, "room_query": "buildingId='HQ \"old\"' AND capacity>4"},
    "delegation": {**ROOMS, "subject": "rooms@fabrikam.example"},
    "delegation and directory": {"customer": "my_customer", "subject": "rooms@fabrikam.example"},
}


def write(
    folder: Path,
    more: Mapping[str, str] | None = None,
    *,
    renew: bool = False,
    actions: bool = False,
    **answers: str,
) -> Kit:
    """A kit of the connection fabrikam. As a keyword, fence.canaries is fence__canaries."""
    named = {key.replace("__", "."): answer for key, answer in {**(more or {}), **answers}.items()}
    known = GIVEN if {"rooms", "customer"} & named.keys() else GIVEN | ROOMS
    return (write_actions_kit if actions else write_kit)(
        "fabrikam", known | named, folder, now=NOW, renew=renew
    )


@cache
def texts(variant: str, *, actions: bool = False) -> dict[str, str]:
    """Every file of a kit, by its name."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), VARIANTS[variant], actions=actions)
        return {path.name: path.read_text("utf-8") for path in Path(name).iterdir()}
