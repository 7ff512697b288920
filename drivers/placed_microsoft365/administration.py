"""What the driver offers to those who connect a tenant, put together; see `placed.driver.capabilities`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_microsoft365 import consent as consenting
from placed_microsoft365 import setup_kit as kit
from placed_microsoft365.diagnosis import Examination

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from placed.driver import (
        ConsentAnswer,
        ConsentRequest,
        Finding,
        FoundRoom,
        GrantProbe,
        Kit,
        Letter,
        Permission,
        Propagation,
        Surroundings,
    )
    from placed_microsoft365.settings import Microsoft365Settings


class Microsoft365Administration:
    """One connection's; implements `placed.driver.Administration`."""

    questions = kit.QUESTIONS

    def __init__(self, settings: Microsoft365Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._examination = Examination(settings, surroundings)

    @staticmethod
    def open(settings: Microsoft365Settings, surroundings: Surroundings) -> Microsoft365Administration:
        """See `placed.driver.AdministrationKind.open`."""
        return Microsoft365Administration(settings, surroundings)

    @staticmethod
    def answers(settings: Microsoft365Settings) -> Mapping[str, str]:
        """See `placed.driver.AdministrationKind.answers`."""
        return kit.answers_of(settings)

    @staticmethod
    def write_kit(
        connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
    ) -> Kit:
        """See `placed.driver.AdministrationKind.write_kit`."""
        return kit.write_kit(connection, answers, folder, now=now, renew=renew)

    # --- finding what is wrong ---

    def examine(self) -> AsyncIterator[Finding]:
        """See `placed.driver.Administration.examine`."""
        return self._examination.examine()

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """See `placed.driver.Administration.look_at_habits`."""
        return await self._examination.look_at_habits(rooms)

    # --- consent ---

    @property
    def permissions(self) -> Sequence[Permission]:
        """See `placed.driver.Administration.permissions`."""
        return consenting.permissions(self._settings)

    @property
    def granted_elsewhere(self) -> str:
        """See `placed.driver.Administration.granted_elsewhere`."""
        return consenting.granted_elsewhere(self._settings)

    @property
    def propagation(self) -> Propagation:
        """See `placed.driver.Administration.propagation`."""
        return consenting.propagation(self._settings)

    def consent_url(self, redirect_uri: str, state: str) -> str:
        """See `placed.driver.Administration.consent_url`."""
        return consenting.consent_url(self._settings, redirect_uri, state)

    async def judge(self, answer: Mapping[str, str]) -> ConsentAnswer:
        """See `placed.driver.Administration.judge`."""
        return await consenting.judge(self._settings, self._surroundings, answer)

    def request(self, asked: ConsentRequest, url: str) -> Letter:
        """See `placed.driver.Administration.request`."""
        return consenting.letter(self._settings, asked, url)

    async def probe(self) -> GrantProbe:
        """See `placed.driver.Administration.probe`."""
        return await consenting.probe(self._settings, self._surroundings)

    def revocation(self) -> Sequence[str]:
        """See `placed.driver.Administration.revocation`."""
        return consenting.revocation(self._settings)
