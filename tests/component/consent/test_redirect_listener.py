"""Where the browser that a consent page sends back is waited for."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from placed.consent.redirect_listener import Page, Redirect
from placed.domain.exit_errors import CannotStart
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

STATE = "a-state_that-nobody~knows"
SHOWN = Page("Consent was given", "All is well & <good>.")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser got."""

    status: int
    headers: Mapping[str, str]
    text: str


class Listening:
    """A listener, a browser, and how many answers were refused."""

    def __init__(self) -> None:
        self.refused = 0

    def refuse(self) -> None:
        self.refused += 1

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[Listening]:
        async with (
            asyncio.timeout(DEADLINE),
            aiohttp.ClientSession() as self._session,
            Redirect(STATE, port=port, forged=self.refuse) as self.redirect,
        ):
            yield self

    async def ask(
        self, query: str, *, method: str = "GET", path: str = "/", host: str = "127.0.0.1", **headers: str
    ) -> Shown:
        url = URL(f"http://{host}:{self.redirect.port}{path}?{query}", encoded=True)
        async with self._session.request(method, url, headers=headers, allow_redirects=False) as response:
            return Shown(response.status, dict(response.headers), await response.text())

    async def raw(self, request: bytes) -> str:
        """What comes back to bytes that a browser would not send."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.redirect.port)
        writer.write(request)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.decode()


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    async with Listening().open() as listening:
        yield listening


def strict(headers: Mapping[str, str]) -> bool:
    """The page is not cached, sniffed or framed, loads nothing and sends no referrer."""
    policy = headers["Content-Security-Policy"]
    return (
        headers["Cache-Control"] == "no-store"
        and headers["X-Content-Type-Options"] == "nosniff"
        and headers["Referrer-Policy"] == "no-referrer"
        and headers["Server"] == "placed"
        and all(
            word in policy for word in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'none'")
        )
        and "unsafe" not in policy
    )


async def test_an_answer_with_the_right_state_is_accepted_and_shown_in_the_browser(
    listening: Listening,
) -> None:
    browser = asyncio.create_task(listening.ask(f"admin_consent=True&tenant=t&state={STATE}"))
    answer = await listening.redirect.answer()
    assert dict(answer) == {"admin_consent": "True", "tenant": "t", "state": STATE}
    assert not browser.done()
    listening.redirect.show(SHOWN)
    shown = await browser
    assert shown.status == 200
    assert "<h1>Consent was given</h1><p>All is well &amp; &lt;good&gt;.</p>" in shown.text
    assert strict(shown.headers)
    assert listening.refused == 0


@pytest.mark.parametrize(
    "query",
    [
        "",
        "admin_consent=True&tenant=t",
        "state=",
        "state=forged",
        f"state={STATE}x",
        f"state={STATE[:-1]}",
        f"state={STATE}&state=forged",
        f"state={STATE}&tenant=mine&tenant=yours",
        "state=%ff%00",
        "state=<script>alert(1)</script>&error=<script>",
        "state=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
async def test_a_forged_answer_is_refused_and_the_right_one_is_still_taken(
    listening: Listening, query: str
) -> None:
    shown = await listening.ask(query)
    assert (shown.status, listening.refused) == (400, 1)
    assert "This answer was refused" in shown.text
    assert "script" not in shown.text
    assert STATE not in shown.text
    assert strict(shown.headers)
    browser = asyncio.create_task(listening.ask(f"state={STATE}"))
    assert await listening.redirect.answer() == {"state": STATE}
    listening.redirect.show(SHOWN)
    assert (await browser).status == 200


async def test_only_the_first_answer_counts(listening: Listening) -> None:
    first = asyncio.create_task(listening.ask(f"error=access_denied&state={STATE}"))
    await listening.redirect.answer()
    second = await listening.ask(f"admin_consent=True&state={STATE}")
    assert (second.status, "already answered" in second.text) == (400, True)
    assert await listening.redirect.answer() == {"error": "access_denied", "state": STATE}
    listening.redirect.show(SHOWN)
    await first


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_nothing_but_a_get_is_an_answer(listening: Listening, method: str) -> None:
    shown = await listening.ask(f"state={STATE}", method=method)
    assert shown.status == 405
    assert strict(shown.headers)


async def test_nothing_else_is_to_be_found_there(listening: Listening) -> None:
    for path in ("/favicon.ico", "/x", "//"):
        shown = await listening.ask(f"state={STATE}", path=path)
        assert shown.status == 404
        assert strict(shown.headers)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1@evil"]
)
async def test_a_request_with_a_foreign_host_name_is_refused(listening: Listening, host: str) -> None:
    shown = await listening.ask(f"state={STATE}", Host=host)
    assert shown.status == 421
    assert strict(shown.headers)
    assert listening.refused == 0


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:99", "[::1]"])
async def test_the_loopbacks_own_names_are_answered(listening: Listening, host: str) -> None:
    assert (await listening.ask("state=x", Host=host)).status == 400
    assert listening.refused == 1


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /?" + b"<script>" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"<script>alert(1)</script>\r\n\r\n",
        b"GET / HTTP/1.1\r\n<script>: <script>\r\n\r\n",
    ],
)
async def test_an_unreadable_request_is_not_repeated_in_the_response(
    listening: Listening, request_line: bytes
) -> None:
    answer = await listening.raw(request_line)
    assert re.match(r"HTTP/1\.[01] 400 ", answer)
    assert "script" not in answer.partition("\r\n\r\n")[2]
    assert re.search(r"^X-Content-Type-Options: nosniff\r$", answer, re.MULTILINE)


async def test_a_browser_may_take_localhost_for_either_loopback(listening: Listening) -> None:
    if not socket.has_ipv6 or not _has_ipv6_loopback():
        pytest.skip("this machine has no ::1")
    assert (await listening.ask("state=x", host="[::1]")).status == 400
    assert (await listening.ask("state=x", host="127.0.0.1")).status == 400
    assert listening.redirect.uri == f"http://localhost:{listening.redirect.port}"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_port_in_use_on_either_loopback_address_is_not_shared(address: str) -> None:
    """The program that has the port there would receive the browser's request."""
    if address == "::1" and not _has_ipv6_loopback():
        pytest.skip("this machine has no ::1")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} of localhost .*[Aa]ddress already in use"):
            async with Redirect(STATE, port=port):
                pass
    async with Redirect(STATE, port=port) as redirect:
        assert redirect.port == port


async def test_a_browser_still_waiting_at_the_end_is_referred_to_the_terminal() -> None:
    async with Listening().open() as listening:
        browser = asyncio.create_task(listening.ask(f"state={STATE}"))
        await listening.redirect.answer()
        await listening.redirect.__aexit__(None, None, None)
        shown = await browser
    assert (shown.status, "See the terminal" in shown.text) == (200, True)


def _has_ipv6_loopback() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
