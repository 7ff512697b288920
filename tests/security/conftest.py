from __future__ import annotations

from tests.end_to_end.service.conftest import deployment

__all__ = ["deployment"]
