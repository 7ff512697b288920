"""The local status endpoint: rooms, events, health and metrics over HTTP."""

from __future__ import annotations

from placed.http.bridge import Bridge
from placed.http.server import StatusServer

__all__ = ["Bridge", "StatusServer"]
