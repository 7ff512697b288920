"""The states of the administrator's consent."""

from __future__ import annotations

from enum import StrEnum


class Consent(StrEnum):
    """The administrator's grant of the application permissions."""

    UNKNOWN = "unknown"  # nothing was requested with it yet
    MISSING = "missing"  # not given, and not requested
    REQUESTED = "requested"  # an administrator was asked, and may still answer
    GRANTED = "granted"
    DECLINED = "declined"  # an administrator declined
    REVOKED = "revoked"  # it was given, and then revoked
