"""What is known of the administrator's grant, in a word."""

from __future__ import annotations

from enum import StrEnum


class Consent(StrEnum):
    """The administrator's grant of the application permissions."""

    UNKNOWN = "unknown"  # nothing was asked with it yet
    MISSING = "missing"  # not given, and not asked for
    REQUESTED = "requested"  # an administrator was asked, and may still answer
    GRANTED = "granted"
    DECLINED = "declined"  # an administrator said no
    REVOKED = "revoked"  # it was given, and is not any more
