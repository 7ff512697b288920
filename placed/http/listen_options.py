"""The way in to the status endpoint: what of it the settings and their files decide, and its sockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from placed.domain.exit_errors import CannotStart
from placed.http import listen as listening
from placed.http import tls

if TYPE_CHECKING:
    import socket
    import ssl

    from placed.http.listen import Address
    from placed.settings.schema import Http


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where it is, and what it takes to come in.

    Attributes:
        token: the bearer token that is wanted, None if anybody who gets there may ask.
        tls: what every connection begins with, if it is to be TLS.
    """

    address: Address
    token: bytes | None = field(repr=False)
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, settings: Http) -> Self:
        """Reads the files that the settings name.

        Raises:
            CannotStart: there is no usable token where one is wanted, or no usable certificate; with all.
        """
        problems: list[str] = []
        token: bytes | None = None
        context: ssl.SSLContext | None = None
        try:
            token = listening.admission(settings)
        except CannotStart as error:
            problems += error.problems
        try:
            context = tls.server_context(settings)
        except CannotStart as error:
            problems += error.problems
        if problems:
            raise CannotStart(*problems)
        return cls(listening.parse(settings.listen), token, context)


async def take(listen: str) -> list[socket.socket]:
    """Takes the address: the sockets are bound and do not listen yet, so clients are refused until they do.

    Raises:
        CannotStart: the address is taken, or is not ours to take.
    """
    address = listening.parse(listen)
    loop = asyncio.get_running_loop()
    try:
        bound = await loop.create_server(
            asyncio.Protocol, address.host or None, address.port, start_serving=False
        )
    except OSError as error:
        raise listening.could_not_listen(listen, error) from error
    taken = [one.dup() for one in bound.sockets]
    bound.close()
    return taken


async def try_out(listen: str) -> None:
    """Takes the address for a moment.

    Raises:
        CannotStart: the address is taken, or is not ours to take.
    """
    for taken_for_a_moment in await take(listen):
        taken_for_a_moment.close()
