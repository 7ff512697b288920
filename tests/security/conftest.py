from __future__ import annotations

from tests.service.conftest import stage

__all__ = ["stage"]
