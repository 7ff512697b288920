"""TLS trust and the proxy for the hosts of a calendar service.

Only the proxy is taken from the environment. REQUESTS_CA_BUNDLE would override the CA in the settings, and an
entry of ~/.netrc would override the credential.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from placed.domain.problem import Problem
from placed.driver.errors import Refused, Unavailable
from placed.driver.file_content import read_file_content
from placed.driver.network import no_proxy, proxy_errors
from placed.driver.secret_file import remedy_for_missing
from placed.driver.settings import SettingsError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from placed.driver.errors import DriverError

# OpenSSL's texts for X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_OUT_OF_TIME = {
    "certificate is not yet valid": "is not valid yet",
    "certificate has expired": "has expired",
}
# Errors of aiohttp (Client...) and requests (the others) about a proxy. Behind a proxy only the proxy's own
# name is resolved.
_OF_A_PROXY = (
    "ClientProxyConnectionError",
    "ClientConnectorDNSError",
    "ProxyError",
    "InvalidProxyURL",
    "ConnectTimeout",
)


LARGEST_CA = 16 * 2**20  # bytes of a file with CAs
_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "no answer in time"),
    (ConnectionRefusedError, "it refuses connections"),
    (ConnectionError, "it ended the connection"),
    (socket.gaierror, "its name is not known"),
    (ssl.SSLError, "TLS failed"),
)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Returns a TLS context that trusts the system's CAs, or only those in the file.

    Raises:
        SettingsError: the file is invalid.
    """
    try:
        if ca_file is not None:
            read_file_content(ca_file, LARGEST_CA)  # OpenSSL would read a device without end
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        raise SettingsError(Problem("ca_file", f"{ca_file} holds no CA certificate in PEM")) from None
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        remedy = (remedy_for_missing(ca_file) if ca_file else "correct the path") if missing else ""
        text = f"{ca_file} cannot be read: {error.strerror}"
        raise SettingsError(Problem("ca_file", text, remedy, unread=ca_file)) from None


def ca_bundle(ca_file: Path | None) -> str | bool:
    """Returns the same for `requests`, which would use CAs of its own instead of the system's."""
    if ca_file is not None:
        return str(ca_file)
    system = ssl.get_default_verify_paths()
    return system.cafile or system.capath or True


def proxy_for(url: str) -> str | None:
    """Returns the HTTP proxy that the environment sets for the URL, if any.

    Raises:
        Refused: its URL is invalid, or it is not an HTTP proxy.
    """
    proxy = getproxies().get("https", "").strip()
    if not proxy or no_proxy.is_listed(url):
        return None
    whole = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy_errors.is_usable(whole):
        raise proxy_errors.unusable(whole, url)
    return whole


def not_reached(service: str, url: str, error: Exception) -> DriverError:
    """Returns the error for a host that sent no response; its text is not used, as it may name a mailbox.

    Args:
        service: the name of the service, such as `the login host`.
        url: the host's URL.
        error: the error of aiohttp or of requests.
    """
    proxy = proxy_for(url)
    if proxy is not None:
        status = getattr(error, "status", None) or proxy_errors.status_in(error)
        if status:
            return proxy_errors.refusal(proxy, url, status)
        if type(error).__name__ in _OF_A_PROXY:
            return proxy_errors.unreached(proxy, error)
    through = f" through the proxy {proxy_errors.name_of(proxy)}" if proxy is not None else ""
    remedy = f"check that the proxy lets this machine through to {urlsplit(url).hostname}" if proxy else ""
    return Unavailable(f"{service} cannot be reached{through}: {_why(error)}", remedy=remedy)


def _why(error: Exception) -> str:
    """Describes a connection's failure without the error's own text."""
    for cause in proxy_errors.causes(error):
        kind = type(cause)
        for known, words in _WHY:
            if issubclass(kind, known):
                return words
        if kind.__name__ in ("NameResolutionError", "ClientConnectorDNSError"):
            return "its name is not known"
        if kind.__name__.endswith(("Timeout", "TimeoutError")):
            return "no answer in time"
        if kind.__name__ in ("ServerDisconnectedError", "ProtocolError", "IncompleteRead"):
            return "it ended the connection"
    return "the connection failed"


def not_trusted(url: str, error: object = "", now: datetime | None = None) -> DriverError:
    """Returns the error for a host whose certificate is not trusted.

    If it is not valid yet, or has expired, it may be temporary: this machine's clock may be wrong and
    corrected later, or the host's certificate may be renewed.

    Args:
        url: the host's URL.
        error: the TLS error; its text contains OpenSSL's.
        now: the time of this machine's clock.
    """
    parts = urlsplit(url)
    for words, text in _OUT_OF_TIME.items():
        if words in str(error):
            shown = f"; this machine's clock shows {now:%Y-%m-%d}" if now is not None else ""
            return Unavailable(
                f"the TLS certificate of {parts.scheme}://{parts.netloc} {text}{shown}",
                remedy="check this machine's clock (timedatectl set-ntp true); placed tries again by itself",
            )
    if (proxy := proxy_for(url)) is not None:
        return proxy_errors.not_trusted(proxy, url)
    return Refused(
        f"the TLS certificate of {parts.scheme}://{parts.netloc} is not trusted",
        remedy="set ca_file to the CA that signed it, or correct the address",
    )
