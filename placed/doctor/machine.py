"""What of this machine placed stands on: settings, state, time zones, the files of broker and endpoint."""

from __future__ import annotations

import os
import re
import zoneinfo
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from placed.driver import Finding, Verdict
from placed.driver.examining import look_at_secrets
from placed.state import Memory

if TYPE_CHECKING:
    from datetime import datetime

    from placed.configuration import Configuration
    from placed.settings import Settings

_OLD = 2  # years; some country changes its clocks in most of them
_VERSION = re.compile(r"(?:# version )?((?:19|20)\d\d)([a-z]*)")
_NEWER = "apt-get install --only-upgrade tzdata, or the like of your system"


def look_at_settings(configuration: Configuration) -> Finding:
    """They are good, or there would be none."""
    where = ", ".join(str(path) for path in configuration.files.read) or "the environment"
    return Finding("settings", Verdict.GOOD, f"{where}: good")


# --- state --------------------------------------------------------------------------------------------------


def look_at_state(directory: Path) -> Finding:
    """Whether the daemon's state can be kept. Nothing is written to find out."""
    remedy = f"let the user that placed runs as write in {directory}, or name another with --state-directory"
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if not existing.is_dir():
        return Finding("state", Verdict.DOUBTFUL, f"{existing}: is no folder", remedy)
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            "state", Verdict.DOUBTFUL, f"{directory}: can not be written, nor what is in it", remedy
        )
    file = directory / "state.json"
    try:
        msgspec.json.decode(file.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Finding("state", Verdict.GOOD, f"{directory}: can be written; placed has not run with it yet")
    except OSError as error:
        return Finding(
            "state", Verdict.DOUBTFUL, f"{file}: {error.strerror}", f"let placed read and write {file}"
        )
    except (msgspec.MsgspecError, UnicodeDecodeError):
        said = f"{file}: is not what placed has written: rooms may get other ids"
        return Finding("state", Verdict.DOUBTFUL, said, f"put the file back from a backup, or remove {file}")
    return Finding("state", Verdict.GOOD, f"{directory}: can be written")


def remembered_ids(directory: Path) -> dict[str, str]:
    """The ids that the daemon has given to rooms, as far as they can be read; the file stays as it is."""
    with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode((directory / "state.json").read_bytes(), type=Memory).room_ids
    return {}


# --- time zones ---------------------------------------------------------------------------------------------


def look_at_time_zones(settings: Settings, now: datetime) -> Finding:
    """Whether the rooms' time zones are there, and how old they are."""
    zones = {connection.time_zone.key for connection in settings.connections}
    zones |= {room.time_zone.key for room in settings.rooms.values() if room.time_zone}
    listed = ", ".join(sorted(zones)[:3]) + (f" and {len(zones) - 3} more" if len(zones) > 3 else "")  # noqa: PLR2004
    version = _version()
    if version is None:
        return Finding("time_zones", Verdict.GOOD, f"{listed}; how old they are is not told")
    year, letter = version
    said = f"{listed}; as of {year}{letter}"
    if now.year - year >= _OLD:
        return Finding("time_zones", Verdict.DOUBTFUL, f"{said}, which may be wrong by now", _NEWER)
    return Finding("time_zones", Verdict.GOOD, said)


def _version() -> tuple[int, str] | None:
    """The release of the data that is used: the system's, or else that of the package tzdata."""
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
    """The secrets of broker and endpoint."""
    named: dict[str, Path | None] = {"http.token_file": settings.http.token_file}
    if settings.mqtt is not None:
        mqtt = settings.mqtt
        named["mqtt.password_file"] = mqtt.password_file
        named["mqtt.key" if mqtt.key else "mqtt.certificate"] = mqtt.key or mqtt.certificate
    return look_at_secrets((key, path) for key, path in named.items() if path is not None)
