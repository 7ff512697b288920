"""By which names the endpoint is to be reached. Pure, but for the name of this machine.

A web page may have its own name resolve to the address of a machine in the reader's network, and then read
what is answered there as if it were its own (DNS rebinding). The browser still sends the page's name, and by
that it is known. Who has to show a token, or checks a certificate, is safe from it already: a page of another
name has neither. An address is no name that anybody could have resolve to another.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.http.listen import Address
    from placed.settings.schema import Http

_HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(:\d*)?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """Which Host fields are answered.

    Attributes:
        names: those that are, lower-case; None if all are.
        addresses: whether every IP address is, too.
        detail: what to do about it, for who is not answered.
    """

    names: frozenset[str] | None
    addresses: bool = False
    detail: str = ""

    def answer(self, field: str) -> bool:
        """Whether a Host field, `name` or `name:port`, is one that is answered."""
        if self.names is None:
            return True
        found = _HOST.fullmatch(field.lower())
        name = (found["address"] or found["name"]).rstrip(".") if found else ""
        return name in self.names or (self.addresses and _is_address(name))


def hosts(settings: Http, address: Address, *, guarded: bool, machine: str | None = None) -> Hosts:
    """The names that are answered.

    Args:
        settings: which may add some.
        address: that is listened on.
        guarded: whether a token or a certificate keeps out the pages of others.
        machine: its name; asked for if None.
    """
    if address.loopback:
        return Hosts(
            _LOOPBACK | settings.hosts | {address.host},
            detail="This endpoint is for this machine only and answers to localhost, 127.0.0.1 and [::1]."
            " A proxy in front of it has to send one of these as Host, or its name has to be in http.hosts.",
        )
    if guarded and not settings.hosts:
        return Hosts(None)
    own = (socket.gethostname() if machine is None else machine).lower()
    short = own.partition(".")[0]
    return Hosts(
        _LOOPBACK | settings.hosts | {address.host, own, short, f"{short}.local"} - {"", ".local"},
        addresses=True,
        detail="This endpoint does not answer to this name. Ask for it by its IP address or by the machine's"
        " own name, or have whoever runs it add the name to http.hosts in the configuration.",
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
