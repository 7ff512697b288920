"""Admin consent: the request, the result of the redirect, and the check whether the grant is in effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_microsoft365.consent import request
from placed_microsoft365.consent.grant_check import probe
from placed_microsoft365.consent.message_to_admin import letter
from placed_microsoft365.consent.redirect_result import judge
from placed_microsoft365.consent.revocation_steps import revocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.driver import (
        ConsentAnswer,
        ConsentRequest,
        GrantProbe,
        Letter,
        Permission,
        Propagation,
        Surroundings,
    )
    from placed_microsoft365.settings import Microsoft365Settings


class Microsoft365Consent:
    """The consent of one connection; implements `placed.driver.ConsentFlow`."""

    def __init__(self, settings: Microsoft365Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings

    @property
    def permissions(self) -> Sequence[Permission]:
        """See `placed.driver.ConsentFlow.permissions`."""
        return request.permissions(self._settings)

    @property
    def granted_elsewhere(self) -> str:
        """See `placed.driver.ConsentFlow.granted_elsewhere`."""
        return request.granted_elsewhere(self._settings)

    @property
    def propagation(self) -> Propagation:
        """See `placed.driver.ConsentFlow.propagation`."""
        return request.propagation(self._settings)

    def consent_url(self, redirect_uri: str, state: str) -> str:
        """See `placed.driver.ConsentFlow.consent_url`."""
        return request.consent_url(self._settings, redirect_uri, state)

    async def judge(self, answer: Mapping[str, str]) -> ConsentAnswer:
        """See `placed.driver.ConsentFlow.judge`."""
        return await judge(self._settings, self._surroundings, answer)

    def letter(self, asked: ConsentRequest, url: str) -> Letter:
        """See `placed.driver.ConsentFlow.letter`."""
        return letter(self._settings, asked, url)

    async def probe(self) -> GrantProbe:
        """See `placed.driver.ConsentFlow.probe`."""
        return await probe(self._settings, self._surroundings)

    def revocation(self) -> Sequence[str]:
        """See `placed.driver.ConsentFlow.revocation`."""
        return revocation(self._settings)
