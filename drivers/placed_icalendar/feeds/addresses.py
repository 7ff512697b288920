"""Parts of addresses that may be shown: their hosts. The rest of one may be a secret."""

from __future__ import annotations

from urllib.parse import urlsplit

_HTTPS = 443


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, in lower case, such as `https://cal.example`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _HTTPS) else f":{parts.port}"
    return f"{parts.scheme.lower()}://{host}{port}"


def host_of(url: str) -> str:
    """Host of an address, with the port if it is not 443, for messages."""
    return origin_of(url).rpartition("/")[2]
