"""The packages that read calendar text, which are an extra of placed."""

from __future__ import annotations

from importlib.util import find_spec

from placed.driver import Problem, SettingsError

_NEEDED = {"icalendar": "icalendar", "dateutil": "python-dateutil"}  # modules, and what installs them


def require_extra() -> None:
    """Checks that the packages are installed.

    Raises:
        SettingsError: they are not.
    """
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        text = f"this driver needs the extra placed[icalendar]: {', '.join(missing)} is not installed"
        raise SettingsError(Problem("driver", text, "pip install 'placed[icalendar]'"))
