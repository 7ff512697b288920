"""Which addresses of hosts are public, and a resolver that returns no others.

A publisher on the internet may redirect only to another one: else a link that somebody sent could make placed
ask for pages inside of the building's network.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.abc import ResolveResult


_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_LAST_32_BITS = 2**32 - 1


def is_public(address: str) -> bool:
    """Whether an IP address is reachable from everywhere: not private, local, or reserved."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return found.is_global
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped.is_global
    inner = IPv4Address(int(found) & _LAST_32_BITS) if found in _NAT64 else found.sixtofour
    return found.is_global and (inner is None or inner.is_global)


def literal(host: str) -> str | None:
    """The IP address that is in place of a host's name; None if it is a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def is_odd_number(host: str) -> bool:
    """Whether a host is an IPv4 address in an old spelling, such as `127.1` or `2130706433`.

    aiohttp takes these for addresses and asks no resolver, and the system connects to what they stand for.
    """
    return literal(host) is None and host.replace(".", "").isdigit()


async def has_public_address(host: str, public: Callable[[str], bool]) -> bool:
    """Whether a host has a public address; also where its name cannot be resolved here, as behind a proxy."""
    address = literal(host)
    if address is not None:
        return public(address)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return any(public(str(entry[4][0])) for entry in found)


class PublicResolver(AbstractResolver):
    """Resolves names to their public addresses only.

    Args:
        public: which addresses are public.

    Attributes:
        refused: the names that have others only.
    """

    def __init__(self, public: Callable[[str], bool]) -> None:
        self._public = public
        self._system = ThreadedResolver()
        self.refused: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See `aiohttp.abc.AbstractResolver`.

        Raises:
            OSError: there is no public address.
        """
        found = await self._system.resolve(host, port, family)
        public = [one for one in found if self._public(one["host"])]
        if not public:
            self.refused.add(host)
            raise OSError(None, "no public address")
        return public

    async def close(self) -> None:
        """See `aiohttp.abc.AbstractResolver`."""
        await self._system.close()
