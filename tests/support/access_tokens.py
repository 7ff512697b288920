"""A sign-in that always succeeds."""

from __future__ import annotations


async def signed_in() -> tuple[str, float]:
    """A token for an hour."""
    return "t0ken", 3600.0
