"""The status endpoint's address: free, or answered by a daemon that runs already."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp

from placed.doctor.checks import mistake
from placed.driver import Finding, Verdict
from placed.errors import CannotStart
from placed.http import listening, tls

if TYPE_CHECKING:
    from placed.configuration import Configuration

_TIMEOUT = aiohttp.ClientTimeout(total=5)


async def look_at_endpoint(configuration: Configuration) -> Finding:
    """Whether a daemon can listen where the settings say."""
    settings = configuration.settings.http
    if not settings.listen:
        return Finding("http", Verdict.GOOD, "off: http.listen is empty")
    try:
        token = listening.admission(settings)
        tls.server_context(settings)
        address = listening.parse(settings.listen)
        await _try(settings.listen, address)
    except CannotStart as error:
        if "is in use" in str(error) and await _is_placed(address.host or "127.0.0.1", address.port):
            return Finding("http", Verdict.GOOD, f"{settings.listen}: a running placed answers")
        (problem,) = configuration.located(error.problems)
        return mistake("http", problem)
    said = f"{settings.listen}: free"
    if not address.loopback and token is None:
        remedy = "set http.token_file, unless everybody may ask"
        return Finding("http", Verdict.DOUBTFUL, f"{said}, and open to everybody who gets there", remedy)
    return Finding("http", Verdict.GOOD, said)


async def _try(listen: str, address: listening.Address) -> None:
    """Takes the address for a moment, without listening."""
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(
            asyncio.Protocol, address.host or None, address.port, start_serving=False
        )
    except OSError as error:
        raise listening.could_not_listen(listen, error) from error
    server.close()


async def _is_placed(host: str, port: int) -> bool:
    """By what every answer of placed carries; /healthz wants no token.

    It may still run with other settings, so both are tried. Nothing is sent that would be a secret: whose
    certificate it shows does not matter.
    """
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        for secure in (False, True):
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                url = f"{listening.url(host, port, tls=secure)}/healthz"
                async with session.get(url, allow_redirects=False, ssl=False) as response:
                    if response.headers.get("Server") == "placed":
                        return True
    return False
