"""Why another program on the network was not reached, in words for an operator. Pure."""

from __future__ import annotations

import os
import socket

_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "no answer in time"),
    (ConnectionRefusedError, "Connection refused"),
    (ConnectionResetError, "Connection reset by peer"),
    (ConnectionError, "it ended the connection"),
    (EOFError, "it ended the connection"),
)


def why(error: BaseException) -> str | None:
    """What an error of the operating system or of asyncio means; None of any other error."""
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return "no name server answers"
        return "the host name is not known"
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words
    if not isinstance(error, OSError):
        return None
    # asyncio's own text of an error contains the address.
    return os.strerror(error.errno) if error.errno else error.strerror
