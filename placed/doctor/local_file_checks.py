"""Checks this machine: settings, state, time zones, and the files for broker and endpoint."""

from __future__ import annotations

import os
import re
import sqlite3
import zoneinfo
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from placed.driver import Finding, Verdict
from placed.driver.shared_findings import look_at_secrets
from placed.store.database import NAME, Unusable
from placed.store.read_only import StoreSnapshot, read_snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings

_OLD = 2  # years; in most years some country changes its clock rules
_VERSION = re.compile(r"(?:# version )?((?:19|20)\d\d)([a-z]*)")
_NEWER = "apt-get install --only-upgrade tzdata, or the equivalent on your system"


def look_at_settings(configuration: Configuration) -> Finding:
    """Returns the finding for valid settings; invalid ones never get here."""
    where = ", ".join(str(path) for path in configuration.files.read) or "the environment"
    return Finding.of("settings", Verdict.GOOD, f"{where}: good")


# --- state --------------------------------------------------------------------------------------------------


def look_at_state(directory: Path) -> Finding:
    """Checks, without writing, whether the daemon can store its state."""
    remedy = f"let the user that placed runs as write in {directory}, or name another with --state-directory"
    whole = directory.absolute()
    # Not Path.exists(): it raises if a name is too long or a folder cannot be read.
    existing = next((path for path in (whole, *whole.parents) if os.path.lexists(path)), whole)
    if not os.path.isdir(existing):  # noqa: PTH112 - see above
        return Finding.of("state", Verdict.DOUBTFUL, f"{existing}: is not a folder", remedy)
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding.of(
            "state", Verdict.DOUBTFUL, f"{directory}: the directory or a file in it cannot be written", remedy
        )
    file = directory / NAME
    try:
        read_snapshot(directory)
    except FileNotFoundError:
        return Finding.of(
            "state", Verdict.GOOD, f"{directory}: can be written; placed has not run with it yet"
        )
    except Unusable as error:
        text = f"{file}: {error}: placed will move it away, and rooms may get other ids"
        return Finding.of(
            "state", Verdict.DOUBTFUL, text, f"put the file back from a backup, or remove {file}"
        )
    except (OSError, sqlite3.Error) as error:
        text = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return Finding.of("state", Verdict.DOUBTFUL, f"{file}: {text}", f"let placed read and write {file}")
    return Finding.of("state", Verdict.GOOD, f"{directory}: can be written")


def remembered(directory: Path) -> StoreSnapshot:
    """Returns what the daemon has stored, as far as it can be read; the file is not changed."""
    with suppress(OSError, sqlite3.Error, Unusable):
        return read_snapshot(directory)
    return StoreSnapshot()


# --- time zones ---------------------------------------------------------------------------------------------


def look_at_time_zones(settings: Settings, now: datetime) -> Finding:
    """Checks that the rooms' time zones exist, and how old their data is."""
    zones = {connection.time_zone.key for connection in settings.connections}
    zones |= {room.time_zone.key for room in settings.rooms.values() if room.time_zone}
    listed = ", ".join(sorted(zones)[:3]) + (f" and {len(zones) - 3} more" if len(zones) > 3 else "")  # noqa: PLR2004
    version = _version()
    if version is None:
        return Finding.of("time_zones", Verdict.GOOD, f"{listed}; their age is not known")
    year, letter = version
    text = f"{listed}; as of {year}{letter}"
    if now.year - year >= _OLD:
        return Finding.of("time_zones", Verdict.DOUBTFUL, f"{text}, which may be wrong by now", _NEWER)
    return Finding.of("time_zones", Verdict.GOOD, text)


def _version() -> tuple[int, str] | None:
    """Returns the release of the time zone data: the system's, or else that of the package tzdata."""
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / "Etc" / "UTC").exists():
            for name in ("tzdata.zi", "+VERSION"):
                with suppress(OSError, UnicodeDecodeError), (Path(folder) / name).open() as file:
                    if found := _VERSION.match(file.readline()):
                        return int(found[1]), found[2]
            return None
    with suppress(ImportError):
        if found := _VERSION.match(str(getattr(import_module("tzdata"), "IANA_VERSION", ""))):
            return int(found[1]), found[2]
    return None


# --- files --------------------------------------------------------------------------------------------------


def look_at_own_files(settings: Settings) -> list[Finding]:
    """Checks the secrets for broker and endpoint."""
    http = settings.http
    named: dict[str, Path | None] = {"http.token_file": http.token_file}
    named["http.key" if http.key else "http.certificate"] = http.key or http.certificate
    if settings.mqtt is not None:
        mqtt = settings.mqtt
        named["mqtt.password_file"] = mqtt.password_file
        named["mqtt.key" if mqtt.key else "mqtt.certificate"] = mqtt.key or mqtt.certificate
    return look_at_secrets((key, path) for key, path in named.items() if path is not None)
