"""Creates the token cache and the Graph client from the settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from placed.driver.background_thread import run_in_thread
from placed.driver.network.service_clock import ServiceClock
from placed.driver.token_cache import TokenCache
from placed_microsoft365.auth.msal_login import Registration, sign_in
from placed_microsoft365.graph.client import GraphClient

if TYPE_CHECKING:
    from placed.driver import Surroundings
    from placed_microsoft365.auth.credential import Credential
    from placed_microsoft365.settings import Microsoft365Settings


def registration_of(
    settings: Microsoft365Settings, credential: Credential, client_id: str | None = None
) -> Registration:
    """Returns the application that reads, or that with another client id."""
    return Registration(
        login_url=settings.login_url,
        tenant=settings.tenant,
        client_id=client_id or settings.client_id,
        credential=credential,
        scope=f"{settings.graph_url}/.default",
        ca_file=settings.ca_file,
    )


def token_cache_of(
    settings: Microsoft365Settings,
    credential: Credential,
    surroundings: Surroundings,
    client_id: str | None = None,
) -> TokenCache:
    """Returns a token cache, which signs in when a token is first requested."""
    registration = registration_of(settings, credential, client_id)
    clock = ServiceClock.of(surroundings)
    blocking = partial(sign_in, registration, clock)
    return TokenCache(partial(run_in_thread, blocking), surroundings.steady)


def graph_client(
    settings: Microsoft365Settings, tokens: TokenCache, surroundings: Surroundings, *, writes: bool = False
) -> GraphClient:
    """Returns a Graph client that uses these tokens.

    Raises:
        SettingsError: the CA file is invalid.
    """
    return GraphClient(
        settings.graph_url,
        tokens,
        ca_file=settings.ca_file,
        version=surroundings.version,
        clock=ServiceClock.of(surroundings),
        writes=writes,
    )
