"""A fresh sign-in for one check: no token of an earlier check is reused."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed_microsoft365.auth.application_permissions import to_consent
from placed_microsoft365.auth.credential import check_dates, load_credential
from placed_microsoft365.auth.token_claims import claims_of
from placed_microsoft365.client_factory import graph_client, token_cache_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed.driver import Surroundings
    from placed.driver.token_cache import TokenCache
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.settings import Microsoft365Settings


@dataclass(frozen=True, slots=True)
class FreshSignIn:
    """The clients of one check."""

    settings: Microsoft365Settings
    tokens: TokenCache
    graph: GraphClient

    async def not_listed(self) -> tuple[str, ...]:
        """Returns the consented permissions that the token does not list; none if it cannot be read.

        Raises:
            DriverError: the sign-in failed.
        """
        claims = claims_of(await self.tokens.token())
        if claims is None:
            return ()
        return tuple(name for name in to_consent(self.settings) if name not in claims.roles)


@asynccontextmanager
async def fresh_sign_in(
    settings: Microsoft365Settings, surroundings: Surroundings
) -> AsyncIterator[FreshSignIn]:
    """Opens the clients of one check; they sign in at the first request.

    Raises:
        SettingsError: the credential's file or the CA file is invalid.
    """
    credential = load_credential(settings)
    check_dates(settings, credential, surroundings.now())
    tokens = token_cache_of(settings, credential, surroundings)
    graph = graph_client(settings, tokens, surroundings)
    try:
        yield FreshSignIn(settings, tokens, graph)
    finally:
        await graph.close()
