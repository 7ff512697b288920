"""Why another program on the network was not reached, in words for an operator. Pure."""

from __future__ import annotations

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
    return error.strerror if isinstance(error, OSError) else None
