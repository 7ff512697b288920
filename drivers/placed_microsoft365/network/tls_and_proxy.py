"""How both hosts are reached: which CAs are trusted, and which proxy is in between.

Of the environment only the proxy counts. REQUESTS_CA_BUNDLE would win over a CA that the settings name, and
an entry of ~/.netrc over the credential.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from placed.driver import Problem, Refused, SettingsError, Unavailable, remedy_for_missing
from placed_microsoft365.network import proxy_errors as proxies

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from placed.driver import DriverError

# What OpenSSL reports of a certificate, by X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_OUT_OF_TIME = {
    "certificate is not yet valid": "is not valid yet",
    "certificate has expired": "has expired",
}
# What aiohttp (Client...) and requests (the others) raise of a proxy that they cannot use. Behind one no
# other name is looked up than its own.
_OF_A_PROXY = (
    "ClientProxyConnectionError",
    "ClientConnectorDNSError",
    "ProxyError",
    "InvalidProxyURL",
    "ConnectTimeout",
)


_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "no answer in time"),
    (ConnectionRefusedError, "it refuses connections"),
    (ConnectionError, "it ended the connection"),
    (socket.gaierror, "its name is not known"),
    (ssl.SSLError, "TLS failed"),
)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts the system's CAs, or only those in the file.

    Raises:
        SettingsError: the file is of no use.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        raise SettingsError(Problem("ca_file", f"{ca_file} holds no CA certificate in PEM")) from None
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        remedy = (remedy_for_missing(ca_file) if ca_file else "correct the path") if missing else ""
        text = f"{ca_file} cannot be read: {error.strerror}"
        raise SettingsError(Problem("ca_file", text, remedy, unread=ca_file)) from None


def ca_bundle(ca_file: Path | None) -> str | bool:
    """The same for `requests`, which has CAs of its own and would not know those of the system."""
    if ca_file is not None:
        return str(ca_file)
    system = ssl.get_default_verify_paths()
    return system.cafile or system.capath or True


def proxy_for(url: str) -> str | None:
    """The HTTP proxy that the environment has for the address, if any.

    Raises:
        Refused: it is no address, or that of a proxy of another kind than HTTP.
    """
    proxy = getproxies().get("https", "")
    if not proxy or proxy_bypass(urlsplit(url).hostname or ""):
        return None
    whole = proxy if "://" in proxy else f"http://{proxy}"
    if not proxies.is_usable(whole):
        raise proxies.unusable(whole, url)
    return whole


def not_reached(service: str, url: str, error: Exception) -> DriverError:
    """The error for a host that gave no answer; only its kind is repeated, for its text may name a mailbox.

    Args:
        service: what the host is, such as `Graph`.
        url: its address.
        error: of aiohttp or of requests.
    """
    proxy = proxy_for(url)
    if proxy is not None:
        status = getattr(error, "status", None) or proxies.status_in(error)
        if status:
            return proxies.refusal(proxy, url, status)
        if type(error).__name__ in _OF_A_PROXY:
            return proxies.unreached(proxy, error)
    through = f" through the proxy {proxies.name_of(proxy)}" if proxy is not None else ""
    remedy = f"check that the proxy lets this machine through to {urlsplit(url).hostname}" if proxy else ""
    return Unavailable(f"{service} cannot be reached{through}: {_why(error)}", remedy=remedy)


def _why(error: Exception) -> str:
    """What became of a connection, in words; nothing of the error's own text."""
    for cause in proxies.causes(error):
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
    """The error for a host whose certificate is not trusted.

    If it is not valid yet, or has expired, waiting may help: this machine's clock may be wrong and be set
    later, or the host's certificate may be renewed.

    Args:
        url: of the host.
        error: what TLS failed of; its text holds that of OpenSSL.
        now: what this machine's clock shows.
    """
    parts = urlsplit(url)
    for words, said in _OUT_OF_TIME.items():
        if words in str(error):
            shown = f"; this machine's clock shows {now:%Y-%m-%d}" if now is not None else ""
            return Unavailable(
                f"the TLS certificate of {parts.scheme}://{parts.netloc} {said}{shown}",
                remedy="check this machine's clock (timedatectl set-ntp true); placed tries again by itself",
            )
    if (proxy := proxy_for(url)) is not None:
        return proxies.not_trusted(proxy, url)
    return Refused(
        f"the TLS certificate of {parts.scheme}://{parts.netloc} is not trusted",
        remedy="set ca_file to the CA that signed it, or correct the address",
    )
