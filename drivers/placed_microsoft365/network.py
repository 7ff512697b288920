"""How both hosts are reached: which CAs are trusted, and which proxy is in between.

Of the environment only the proxy counts. REQUESTS_CA_BUNDLE would win over a CA that the settings name, and
an entry of ~/.netrc over the credential.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from placed.driver import Refused, SettingsError, remedy_for_missing

if TYPE_CHECKING:
    from pathlib import Path


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts the system's CAs, or only those in the file.

    Raises:
        SettingsError: the file is of no use.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        raise SettingsError("ca_file", f"{ca_file} holds no CA certificate in PEM") from None
    except FileNotFoundError as error:
        remedy = remedy_for_missing(ca_file) if ca_file else "correct the path"
        raise SettingsError("ca_file", f"{ca_file} cannot be read: {error.strerror}; {remedy}") from None
    except OSError as error:
        raise SettingsError("ca_file", f"{ca_file} cannot be read: {error.strerror}") from None


def ca_bundle(ca_file: Path | None) -> str | bool:
    """The same for `requests`, which has CAs of its own and would not know those of the system."""
    if ca_file is not None:
        return str(ca_file)
    system = ssl.get_default_verify_paths()
    return system.cafile or system.capath or True


def proxy_for(url: str) -> str | None:
    """The HTTP proxy that the environment has for the address, if any."""
    proxy = getproxies().get("https", "")
    if not proxy or proxy_bypass(urlsplit(url).hostname or ""):
        return None
    whole = proxy if "://" in proxy else f"http://{proxy}"
    return whole if whole.startswith(("http://", "https://")) else None


def not_trusted(url: str) -> Refused:
    """The error for a host whose certificate nobody vouches for."""
    parts = urlsplit(url)
    return Refused(
        f"the TLS certificate of {parts.scheme}://{parts.netloc} is not trusted",
        remedy="set ca_file to the CA that signed it, or correct the address",
    )
