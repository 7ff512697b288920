"""How many resources clients may use, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of all connections together, and of each.

    Attributes:
        clients: connections at once.
        head: seconds in which the head of a request has to arrive.
        idle: seconds without a request. Longer than proxies keep their connections, so that none sends a
            request just when the server closes; Caddy's two minutes are the longest of the usual ones.
        patience: seconds in which a client has to read what waits for it, which is a portion at most.
        handshake: seconds for the TLS handshake.
        outcome: seconds in which a command is answered with its outcome, if that is known by then.
    """

    clients: int = 2000
    head: float = 10.0
    idle: float = 150.0
    patience: float = 20.0
    handshake: float = 10.0
    outcome: float = 2.0

    @property
    def clients_of_one(self) -> int:
        """Connections at once from one address. Many, because a proxy or router may hide a whole building."""
        return max(1, self.clients // 2)

    @property
    def streams(self) -> int:
        """Clients of the event stream. Some connections are left for health checks."""
        return max(1, self.clients * 9 // 10)


LONGEST_LINE = 16 * 1024  # bytes of a request's first line: /api/v1/days asks for 200 rooms in one
LONGEST_FIELD = 8 * 1024  # bytes of a header field
MOST_FIELDS = 64
LARGEST_HEAD = 64 * 1024  # bytes of a request line with all fields
LARGEST_BODY = 16 * 1024  # bytes; most addresses take no body, but a client may send a small one by habit
LARGEST_PAYLOAD = 64 * 1024  # bytes of a sensor's message
PAYLOAD_TIME = 10.0  # seconds in which a sensor's message has to arrive
IN_VAIN = 2**20  # bytes that a client may send while it is answered, as in a body without an end
LINGER = 2.0  # seconds in which a body is read and discarded
# A client that reads nothing holds a portion, and twice the buffer, for that is what Linux makes of it.
PORTION = 256 * 1024  # bytes that are written before the client has to have read some
SEND_BUFFER = 256 * 1024  # bytes in the kernel, per client: with less, a large answer is many small steps
STREAM_BUFFER = 128 * 1024  # the same of event streams: a client that lags has to read all of it first
