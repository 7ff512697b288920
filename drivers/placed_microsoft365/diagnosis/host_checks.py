"""Checks the hosts of login and Graph: name resolution, TLS, and the difference of the clocks."""

from __future__ import annotations

import asyncio
import email.utils
import os
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from placed.driver import SET_CLOCK, DriverError, Finding, Problem, Verdict
from placed.driver.shared_findings import AGAIN
from placed_microsoft365.background_thread import run_in_thread
from placed_microsoft365.graph.response_body import ACCEPTED, content_of
from placed_microsoft365.network import proxy_errors
from placed_microsoft365.network.tls_and_proxy import not_reached, not_trusted, proxy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed_microsoft365.settings import Microsoft365Settings

SKEWED = 60.0  # seconds that a clock may be off
WRONG = (
    300.0  # seconds; beyond this the machine's clock has to be set, although rooms follow the services' time
)
_RESOLVE = 10.0  # seconds
_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=10)
_LARGEST = 2**20  # bytes of a response
_HTTPS = 443
_TENANT = re.compile(
    r'"token_endpoint"\s*:\s*"https://[^"]*/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/'
)
# X509_V_ERR_…, as in verify_code.
_NOT_YET_VALID, _EXPIRED, _OTHER_NAMES = 9, 10, (62, 64)


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """A host, and what it serves without a sign-in.

    Attributes:
        key: the settings key that names another host.
        own: whether the settings name one.
    """

    url: str
    path: str
    key: str
    own: bool
    proxy: str | None

    @property
    def name(self) -> str:
        """The host name, with the port if it is not 443."""
        parts = urlsplit(self.url)
        return parts.hostname or "" if parts.port in (None, _HTTPS) else parts.netloc

    @property
    def first(self) -> tuple[str, int]:
        """The name to resolve: the host's own, or that of its proxy, which resolves all others."""
        parts = urlsplit(self.proxy or self.url)
        return parts.hostname or "", parts.port or _HTTPS


@dataclass(frozen=True, slots=True)
class HostProbe:
    """The result of one request to a host.

    Attributes:
        problem: why there was no TLS connection.
        ahead: seconds that the host's clock is ahead of this machine's, if it is known.
        tenant_id: the tenant's GUID, if the host reported it.
    """

    problem: Problem | None = None
    ahead: float | None = None
    tenant_id: str | None = None


def hosts_of(settings: Microsoft365Settings) -> tuple[ServiceHost, ServiceHost]:
    """Returns the login host and the Graph host."""
    login, graph = settings.login_url, settings.graph_url
    discovery = f"/{settings.tenant}/v2.0/.well-known/openid-configuration"
    return (
        ServiceHost(login, discovery, "authority", settings.authority is not None, proxy_for(login)),
        ServiceHost(graph, "/v1.0/", "graph", settings.graph is not None, proxy_for(graph)),
    )


def problem_of_proxy(settings: Microsoft365Settings) -> Finding | None:
    """Returns the finding `dns` if the environment names an invalid proxy."""
    try:
        hosts_of(settings)
    except DriverError as error:
        return Finding("dns", Verdict.BAD, error.problem)
    return None


# --- DNS ----------------------------------------------------------------------------------------------------


async def resolve(host: ServiceHost) -> Problem | None:
    """Returns why a host's name cannot be resolved; None if it can."""
    name, port = host.first
    check_dns = f"check DNS on this machine: resolvectl query {name}"
    try:
        async with asyncio.timeout(_RESOLVE):
            await run_in_thread(partial(socket.getaddrinfo, name, port, type=socket.SOCK_STREAM))
    except TimeoutError:
        return Problem("", f"{name}: no name server answers", check_dns)
    except (OSError, UnicodeError) as error:
        text = error.strerror if isinstance(error, OSError) else "no host can have this name"
        if host.proxy is not None:
            return Problem("", f"{name}, the proxy: {text}", "correct the proxy's name in HTTPS_PROXY")
        if host.own:
            check_dns = f"correct {host.key} in the settings, or check DNS on this machine"
        return Problem("", f"{name}: {text}", check_dns)
    return None


def judge_names(hosts: Sequence[ServiceHost], problems: Sequence[Problem | None]) -> Finding:
    """Returns the finding `dns`."""
    found = [problem for problem in problems if problem is not None]
    if found:
        return _all_bad("dns", found)
    names = " and ".join(dict.fromkeys(host.first[0] for host in hosts))
    proxied = ", the proxy" if all(host.proxy for host in hosts) else ""
    return Finding.of("dns", Verdict.GOOD, f"{names}{proxied}: found")


# --- TLS ----------------------------------------------------------------------------------------------------


async def probe(host: ServiceHost, context: ssl.SSLContext, now: Callable[[], datetime]) -> HostProbe:
    """Sends one request that needs no sign-in."""
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": ACCEPTED},
                auto_decompress=False,
                timeout=_TIMEOUT,
                proxy=host.proxy,
            ) as session,
            session.get(f"{host.url}{host.path}", allow_redirects=False) as response,
        ):
            ahead = _ahead(response.headers.get("Date"), now())
            body = await content_of(response, _LARGEST)
    except aiohttp.ClientConnectorCertificateError as error:
        return HostProbe(_untrusted(host, error.certificate_error))
    except DriverError:  # it responds, and the content is not needed
        return HostProbe(ahead=ahead)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return HostProbe(_unreached(host, error))
    tenant = _TENANT.search(body.decode(errors="replace"))
    return HostProbe(ahead=ahead, tenant_id=tenant[1].lower() if tenant else None)


def _all_bad(check: str, problems: Sequence[Problem]) -> Finding:
    """Returns the finding with all texts and the remedy of the first."""
    texts = "; ".join(dict.fromkeys(problem.text for problem in problems))
    return Finding.of(check, Verdict.BAD, texts, problems[0].remedy)


def judge_connections(hosts: Sequence[ServiceHost], contacts: Sequence[HostProbe | None]) -> Finding | None:
    """Returns the finding `tls`; None if a host could not be tried, and no other had a problem."""
    found = [contact.problem for contact in contacts if contact is not None and contact.problem is not None]
    if found:
        return _all_bad("tls", found)
    if None in contacts:
        return None
    if not any(host.proxy for host in hosts):
        names = " and ".join(dict.fromkeys(host.name for host in hosts))
        return Finding.of("tls", Verdict.GOOD, f"{names}: reached and trusted")
    ways = {
        host.name: f"{host.name} through the proxy {proxy_errors.name_of(host.proxy)}"
        if host.proxy
        else f"{host.name} without a proxy"
        for host in hosts
    }
    return Finding.of("tls", Verdict.GOOD, f"{', '.join(ways.values())}: reached and trusted")


def _untrusted(host: ServiceHost, error: Exception) -> Problem:
    text, remedy = f"{host.name}: its certificate is not trusted", not_trusted(host.url).problem.remedy
    if not isinstance(error, ssl.SSLCertVerificationError):
        return Problem("", text, remedy)
    text = f"{text}: {error.verify_message}"
    if error.verify_code == _NOT_YET_VALID:
        remedy = SET_CLOCK
    elif error.verify_code == _EXPIRED:
        remedy = f"have the operator of {host.name} renew its certificate, if this machine's clock is right"
    elif error.verify_code in _OTHER_NAMES:
        remedy = f"set {host.key} to the name that the certificate is for"
    elif host.proxy:
        text = f"{text}; the proxy {proxy_errors.name_of(host.proxy)} may inspect TLS"
    return Problem("", text, remedy)


def _unreached(host: ServiceHost, error: Exception) -> Problem:
    if isinstance(error, (aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError)):
        problem = not_reached("the host", host.url, error).problem
        return Problem("", f"{host.name}: {problem.text}", problem.remedy)
    reach = f"let this machine reach {host.name} over HTTPS: firewall, or HTTPS_PROXY"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        remedy = f"have {host.name} speak TLS 1.2 or newer to this machine"
        return Problem("", f"{host.name}: TLS fails", remedy)
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        text = os.strerror(number) if number and number > 0 else "no connection"
        return Problem("", f"{host.name}: {text}", reach)
    if isinstance(error, TimeoutError):
        return Problem("", f"{host.name}: no answer within {_TIMEOUT.total:.0f} s", reach)
    return Problem("", f"{host.name}: it closes the connection without a response", AGAIN)


# --- the clock ----------------------------------------------------------------------------------------------


def _ahead(date: str | None, now: datetime) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(date or "")
    except ValueError:
        return None
    # `Date` is truncated to the second.
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds() + 0.5


def judge_clock(contacts: Sequence[HostProbe | None]) -> Finding | None:
    """Returns the finding `clock`; None if no host was reached."""
    if not any(contact is not None and contact.problem is None for contact in contacts):
        return None
    offsets = [contact.ahead for contact in contacts if contact is not None and contact.ahead is not None]
    if not offsets:
        remedy = "check that this machine's clock is set: timedatectl"
        return Finding.of("clock", Verdict.DOUBTFUL, "the services do not report their time", remedy)
    worst = max(offsets, key=abs)
    if abs(worst) <= SKEWED:
        return Finding.of("clock", Verdict.GOOD, f"within {max(1, round(abs(worst)))} s of the services'")
    off = f"{_length(abs(worst))} {'behind' if worst > 0 else 'ahead of'} the services'"
    if abs(worst) <= WRONG:
        return Finding.of("clock", Verdict.DOUBTFUL, off, SET_CLOCK)
    return Finding.of("clock", Verdict.BAD, f"{off}: TLS may take valid certificates for invalid", SET_CLOCK)


def _length(seconds: float) -> str:
    whole = round(seconds)
    if whole < 7200:  # noqa: PLR2004 - two hours
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h" if whole < 172_800 else f"{whole // 86_400} days"  # noqa: PLR2004 - two days
