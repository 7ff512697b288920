"""Warns that a credential expires: once a day from thirty days before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from datetime import datetime

NOTICE = timedelta(days=30)
_EVERY = timedelta(days=1)

log = structlog.get_logger("placed.credential")


class CredentialCheck:
    """Checks one connection's credential."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._warned_at: datetime | None = None

    def look(self, expires_at: datetime | None, moment: datetime) -> None:
        """Logs a warning if it is due. None means that the expiry is not known."""
        if expires_at is None or expires_at - moment > NOTICE:
            self._warned_at = None
            return
        if self._warned_at is not None and timedelta(0) <= moment - self._warned_at < _EVERY:
            return
        self._warned_at = moment
        log.warning(
            "credential.runs_out" if moment < expires_at else "credential.ran_out",
            connection=self._connection,
            expires_at=timestamp(expires_at),
            days_left=max(0, (expires_at - moment).days),
            remedy="make another beside it (placed setup --renew), register it, and name it in the settings",
        )
