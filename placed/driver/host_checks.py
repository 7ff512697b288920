"""Checks the hosts of a calendar service: name resolution, TLS, and the difference of the clocks."""

from __future__ import annotations

import asyncio
import email.utils
import os
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import aiohttp

from placed.domain.machine_clock_health import SET_CLOCK
from placed.domain.problem import Problem
from placed.driver.background_thread import run_in_thread
from placed.driver.diagnosis import Finding, Verdict
from placed.driver.errors import DriverError
from placed.driver.file_content import read_file_content
from placed.driver.network import proxy_errors
from placed.driver.network.response_decompression import ACCEPTED, content_of
from placed.driver.network.tls_and_proxy import LARGEST_CA, not_reached, not_trusted, proxy_for, tls_context
from placed.driver.settings import SettingsError
from placed.driver.shared_findings import AGAIN, blocked, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SKEWED = 60.0  # seconds that a clock may be off
# Seconds beyond which the machine's clock has to be set, although rooms follow the services' time.
WRONG = 300.0
_RESOLVE = 10.0  # seconds
_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=10)
_LARGEST = 2**20  # bytes of a response
_HTTPS = 443
# X509_V_ERR_…, as in verify_code.
_NOT_YET_VALID, _EXPIRED, _OTHER_NAMES = 9, 10, (62, 64)


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """A host, and what it serves without a sign-in.

    Attributes:
        path: what is asked for; any answer will do.
        key: the settings key that names another host.
        own: whether the settings name one.
    """

    url: str
    path: str
    key: str
    own: bool
    proxy: str | None

    @classmethod
    def of(cls, url: str, path: str, key: str, *, own: bool) -> Self:
        """Returns the host with the proxy that the environment sets for it.

        Raises:
            DriverError: that is no proxy.
        """
        return cls(url, path, key, own, proxy_for(url))

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
        body: what it answered.
    """

    problem: Problem | None = None
    ahead: float | None = None
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HostFindings:
    """The findings `dns`, `tls` and `clock`, and the result for each host; None if it was not tried."""

    dns: Finding
    tls: Finding
    clock: Finding
    probes: tuple[HostProbe | None, ...]


def problem_of_ca(ca_file: Path | None) -> Finding | None:
    """Returns the finding `files` for a private CA that cannot be used."""
    if ca_file is None:
        return None
    try:
        read_file_content(ca_file, LARGEST_CA)
        tls_context(ca_file)
    except OSError as error:
        return unreadable("ca_file", ca_file, error)
    except SettingsError as error:
        remedy = "name the PEM file with the CA's certificate in ca_file"
        return Finding.of("files", Verdict.BAD, error.problem.line, remedy)
    return None


async def look_at_hosts(
    hosts: Sequence[ServiceHost], ca_file: Path | None, no_ca: Finding | None, now: Callable[[], datetime]
) -> HostFindings:
    """Resolves the hosts' names and sends each that has an address one request.

    Args:
        hosts: the first one is the most important.
        ca_file: a private CA for all of them.
        no_ca: why that file cannot be used; then no request is sent.
        now: this machine's clock.
    """
    names = await asyncio.gather(*(_resolve(host) for host in hosts))
    dns = _judge_names(hosts, names)
    probes: list[HostProbe | None] = [None] * len(hosts)
    if no_ca is None:
        context = tls_context(ca_file)
        for place, host in enumerate(hosts):
            if names[place] is None:
                probes[place] = await _probe(host, context, now)
    tls = _judge_connections(hosts, probes) or blocked("tls", no_ca or dns)
    return HostFindings(dns, tls, _judge_clock(probes) or blocked("clock", tls), tuple(probes))


# --- DNS ----------------------------------------------------------------------------------------------------


async def _resolve(host: ServiceHost) -> Problem | None:
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


def _judge_names(hosts: Sequence[ServiceHost], problems: Sequence[Problem | None]) -> Finding:
    """Returns the finding `dns`."""
    found = [problem for problem in problems if problem is not None]
    if found:
        return _all_bad("dns", found)
    names = " and ".join(dict.fromkeys(host.first[0] for host in hosts))
    proxied = ", the proxy" if all(host.proxy for host in hosts) else ""
    return Finding.of("dns", Verdict.GOOD, f"{names}{proxied}: found")


# --- TLS ----------------------------------------------------------------------------------------------------


async def _probe(host: ServiceHost, context: ssl.SSLContext, now: Callable[[], datetime]) -> HostProbe:
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
    return HostProbe(ahead=ahead, body=body)


def _all_bad(check: str, problems: Sequence[Problem]) -> Finding:
    """Returns the finding with all texts and the remedy of the first."""
    texts = "; ".join(dict.fromkeys(problem.text for problem in problems))
    return Finding.of(check, Verdict.BAD, texts, problems[0].remedy)


def _judge_connections(hosts: Sequence[ServiceHost], contacts: Sequence[HostProbe | None]) -> Finding | None:
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


def _judge_clock(contacts: Sequence[HostProbe | None]) -> Finding | None:
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
