"""aioresponses on an aiohttp that is newer than it knows.

Since 3.14 aiohttp's `ClientResponse` needs the writer that sent its request. aioresponses
0.7.9 builds its answers without one. Here such an answer is given a writer that has written nothing. On an
older aiohttp, which does not ask for it, nothing is added.
"""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientResponse
from aioresponses import aioresponses

_WRITER = (
    {"stream_writer": SimpleNamespace(output_size=0)}
    if "stream_writer" in inspect.signature(ClientResponse.__init__).parameters
    else {}
)


class BridgedResponse(ClientResponse):
    """An answer that no request was written for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**_WRITER, **kwargs})


class Responses(aioresponses):
    """The same `aioresponses`, with answers that this aiohttp takes."""

    def add(self, *args: Any, **answer: Any) -> None:
        super().add(*args, **{"response_class": BridgedResponse, **answer})
