"""The kit: a folder that the tenant's administrator can read and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import Kit, KitError, Question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from placed_microsoft365.settings import Microsoft365Settings

QUESTIONS: tuple[Question, ...] = ()


def answers_of(settings: Microsoft365Settings) -> Mapping[str, str]:
    """The answers to the questions that settings hold."""
    return {"tenant": settings.tenant}


def write_kit(
    connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
) -> Kit:
    """See `placed.driver.AdministrationKind.write_kit`."""
    raise KitError("", f"{connection} {answers} {folder} {now} {renew}")
