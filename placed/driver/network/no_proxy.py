"""NO_PROXY: hosts that are reached without the proxy, in each form that curl, Go or requests accept."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

# A host, an IPv6 address with or without brackets; and perhaps a port.
_ENTRY = re.compile(r"(?P<name>\[[^]]*\]|[^:]*|.*?:.*:.*?)(?::(?P<port>\d+))?")
_PORTS = {"https": 443, "http": 80}


def is_listed(url: str) -> bool:
    """Returns whether NO_PROXY lists the URL's host.

    An entry is `*`, a domain with its subdomains (`example.org`, `.example.org` or `*.example.org`), an
    address, or a network (`10.0.0.0/8`), each with or without a port. Commas or blanks separate entries.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS.get(parts.scheme)
    return any(_fits(entry, host, port) for entry in re.split(r"[,\s]+", getproxies().get("no", "").lower()))


def _fits(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    parts = _ENTRY.fullmatch(entry)
    if parts is None or (parts["port"] and int(parts["port"]) != port):
        return False
    name = parts["name"].strip("[]").removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}") or _is_in(host, name))


def _is_in(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
