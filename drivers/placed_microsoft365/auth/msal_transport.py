"""The transport of MSAL's requests: it reaches the login host only, and limits size and time of responses.

`requests` limits the silence between two bytes, not the whole: a host that sends a byte now and then would
occupy the thread for ever, and a highly compressed response could exhaust the memory.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from yarl import URL

from placed.driver import DriverError, Refused
from placed.driver.network.response_decompression import ACCEPTED, Body
from placed_microsoft365.clouds import login_hosts_of

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 2**20  # bytes of an unpacked response; a token or the OpenID configuration has a few thousand
ONE = 20.0  # seconds for one response, from the request to its last byte
ALL = 40.0  # seconds for a whole sign-in; the thread ends by then
_PIECE = 16_384  # bytes


class LoginTransport(HTTPAdapter):
    """An adapter for a `requests.Session`, for one sign-in.

    Args:
        login_url: the login host. No other host gets a request, whatever its OpenID configuration names.
        steady: seconds of a clock that cannot be set.
    """

    def __init__(self, login_url: str, steady: Callable[[], float] = time.monotonic) -> None:
        self._login = URL(login_url)
        self._steady = steady
        self._ends_at = steady() + ALL
        self._connections: list[HTTPConnection] = []
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """See `HTTPAdapter`. The connections can be closed from another thread."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._connections)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """See `HTTPAdapter`."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _pools(self._connections)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends one request and reads the whole response.

        Raises:
            Refused: the request would go to another host.
            DriverError: the response is too large or damaged.
            requests.RequestException: there was no response, or not in time.
        """
        self.check(request.url or "")
        silence = kwargs.get("timeout")
        left = min(ONE, self._ends_at - self._steady(), silence if isinstance(silence, float) else ONE)
        if left <= 0:
            raise requests.ReadTimeout
        request.headers["Accept-Encoding"] = ACCEPTED
        over = threading.Event()
        watch = threading.Timer(left, self._end, (over,))
        watch.daemon = True
        watch.start()
        try:
            response = super().send(request, *args, **{**kwargs, "stream": True, "timeout": left})
            response.raw = io.BytesIO(_content(response))
        except (requests.RequestException, HTTPError, OSError, DriverError, ValueError) as error:
            if over.is_set():
                raise requests.ReadTimeout from None
            if isinstance(error, HTTPError | ValueError):
                raise requests.ConnectionError from None
            raise
        finally:
            watch.cancel()
        if over.is_set():
            raise requests.ReadTimeout
        return response

    def check(self, url: str) -> None:
        """Checks that a URL belongs to the login host, because the endpoints come from a response.

        Raises:
            Refused: it is another host, or there is no TLS.
        """
        try:
            target = URL(url)
            safe = target.scheme == "https" and target.user is None
        except ValueError:
            safe = False
        if safe and (target.host, target.port) == (self._login.host, self._login.port):
            return
        if safe and target.is_default_port() and target.host in login_hosts_of(self._login.host or ""):
            return
        raise Refused(
            f"the login host {self._login.host} names an endpoint on another host, which gets no credential",
            remedy="check authority and tenant in the settings; if they are right, the response is not "
            "the login host's own: check the proxy in between",
        )

    def close(self) -> None:
        """See `HTTPAdapter`."""
        super().close()
        for connection in self._connections:
            connection.close()

    def _end(self, over: threading.Event) -> None:
        """Closes the connections when the time is up, so that reading and writing raise an error."""
        over.set()
        for connection in list(self._connections):
            with suppress(OSError, AttributeError, ValueError):
                connection.sock.shutdown(socket.SHUT_RDWR)


def _content(response: requests.Response) -> bytes:
    try:
        body = Body(response.headers.get("Content-Encoding"), LARGEST)
        while piece := response.raw.read1(_PIECE, decode_content=False):
            body.feed(piece)
    except BaseException:
        response.raw.close()
        raise
    response.raw.release_conn()
    return body.whole()


def _pools(connections: list[HTTPConnection]) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            connections.append(self)
            super().connect()

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            connections.append(self)
            super().connect()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
