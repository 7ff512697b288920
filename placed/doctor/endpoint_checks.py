"""The status endpoint's address: free, or answered by a daemon that runs already."""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp

from placed.doctor.report import of_problem
from placed.domain.exit_errors import CannotStart
from placed.driver import Finding, Verdict
from placed.http.listen_options import ListenOptions, check_bindable, endpoint_url

if TYPE_CHECKING:
    from datetime import datetime

    from placed.http.listen_options import Address
    from placed.settings.loader import Configuration

_TIMEOUT = aiohttp.ClientTimeout(total=5)


async def look_at_endpoint(configuration: Configuration, now: datetime) -> list[Finding]:
    """Checks whether a daemon can listen at the configured address: one finding, or one per error."""
    settings = configuration.settings.http
    if not settings.listen:
        return [Finding.of("http", Verdict.GOOD, "off: http.listen is empty")]
    try:
        options = ListenOptions.of(settings)
        problem = options.certificate_problem(now)
        if problem is not None:
            return [of_problem("http", located) for located in configuration.located([problem])]
        await check_bindable(settings.listen)
    except CannotStart as error:
        in_use = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
        if in_use and await _is_placed(options.address):
            return [Finding.of("http", Verdict.GOOD, f"{settings.listen}: a running placed answers")]
        return [of_problem("http", problem) for problem in configuration.located(error.problems)]
    text = f"{settings.listen}: free"
    if not options.address.loopback and options.token is None:
        remedy = "set http.token_file, unless everybody may read the status"
        return [
            Finding.of("http", Verdict.DOUBTFUL, f"{text}, and open to everybody who can reach it", remedy)
        ]
    return [Finding.of("http", Verdict.GOOD, text)]


async def _is_placed(address: Address) -> bool:
    """Checks a header that every answer of placed has; /healthz requires no token.

    It may still run with other settings, so both are tried. Nothing is sent that would be a secret: whose
    certificate it shows does not matter.
    """
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        for secure in (False, True):
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                url = f"{endpoint_url(address.host or '127.0.0.1', address.port, tls=secure)}/healthz"
                async with session.get(url, allow_redirects=False, ssl=False) as response:
                    if response.headers.get("Server") == "placed":
                        return True
    return False
