"""Names of time zones: of IANA, of Windows, and IANA's behind a prefix of some program."""

from __future__ import annotations

import importlib.util
from datetime import UTC, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OF_MICROSOFT = "tzone://microsoft/utc"
_LONGEST = 255
_NAMES_OF_UTC = frozenset({"z", "utc", "gmt", "etc/utc", _OF_MICROSOFT})


@lru_cache(maxsize=1000)
def zone_by_name(name: str) -> tzinfo | None:
    """Returns the zone with this name, in any case; None if there is none.

    Programs write IANA names behind a prefix of their own, after a `/` (RFC 5545, section 3.2.19):
    `/freeassociation.sourceforge.net/Europe/Berlin` (Evolution), `/mozilla.org/20050126_1/Europe/Berlin`
    (Lightning), `/citadel.org/20190914_1/Europe/Berlin`. The longest known name at the end counts.
    """
    if len(name) > _LONGEST:
        return None
    folded = name.strip().casefold()
    if folded in _NAMES_OF_UTC:
        return UTC
    known = _iana_names().get(folded) or _windows_names().get(folded)
    if known is None and folded.startswith("/"):
        parts = folded.split("/")[1:]
        ends = ("/".join(parts[first:]) for first in range(len(parts)))
        known = next((_iana_names()[end] for end in ends if end in _iana_names()), None)
    if known is None:
        return None
    try:
        return ZoneInfo(known)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the machine has fewer than the package tzdata
        return None


def is_abbreviation(name: str) -> bool:
    """Whether it is a name of IANA without a place, such as `EST`, `GMT` and `UTC`."""
    folded = name.strip().casefold()
    return "/" not in folded and (folded in _NAMES_OF_UTC or folded in _iana_names())


@cache
def _iana_names() -> dict[str, str]:
    """IANA's names by themselves in lower case.

    `ZoneInfo` itself accepts more: any file below /usr/share/zoneinfo, such as `localtime`.
    """
    listed = files("tzdata").joinpath("zones").read_text("ascii").split()
    return {name.casefold(): name for name in listed}


@cache
def _windows_names() -> dict[str, str]:
    """IANA's names by those of Windows in lower case, from Unicode CLDR as the package icalendar has it.

    Its module of the table is loaded alone: the whole package takes 0.2 s and 15 MiB, and nothing else of it
    is used here.
    """
    package = importlib.util.find_spec("icalendar")
    if package is None or not package.submodule_search_locations:
        return {}
    path = Path(package.submodule_search_locations[0], "timezone", "windows_to_olson.py")
    table = importlib.util.spec_from_file_location("placed_icalendar_windows_names", path)
    if table is None or table.loader is None or not path.is_file():
        return {}
    module = importlib.util.module_from_spec(table)
    table.loader.exec_module(module)
    return {name.casefold(): iana for name, iana in module.WINDOWS_TO_OLSON.items()}
