"""A proxy before the services is used, and what is wrong with it is named with its remedy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from placed.driver import DriverError, Refused, Surroundings, Unavailable, Verdict
from placed.driver.network.http_session import HttpSession
from placed.driver.network.service_clock import ServiceClock
from placed.driver.network.tls_and_proxy import tls_context
from placed_microsoft365.auth.credential import load_credential
from placed_microsoft365.client_factory import token_cache_of
from tests.drivers.microsoft365.diagnosis.test_check_sequence import examine, only
from tests.drivers.microsoft365.driver_setup import DriverSetup
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed_microsoft365.settings import Microsoft365Settings

Reply = str | None  # the status line of what CONNECT is answered with; None makes the tunnel


@pytest.fixture(autouse=True)
def _no_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def proxy(reply: Reply, asked: list[str] | None = None) -> AsyncIterator[int]:
    """An HTTP proxy; its port."""
    writers: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        writers.append(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if asked is not None:
            asked.append(head.split("\r\n")[0])
        if reply is not None:
            writer.write(f"HTTP/1.1 {reply}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            writer.close()
            return
        host, _, port = head.split()[1].rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writers.append(back)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pour(reader, back), pour(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def signing_in(driver_setup: DriverSetup) -> str:
    settings = driver_setup.settings()
    credential = load_credential(settings)
    source = token_cache_of(
        settings, credential, Surroundings(driver_setup.clock, 8, details=False, version="1.2.3")
    )
    return await source.token()


async def asking_graph(driver_setup: DriverSetup) -> str:
    session = HttpSession(
        "Graph",
        driver_setup.simulator.url,
        tls_context(driver_setup.settings().ca_file),
        ServiceClock(driver_setup.clock, lambda: 0.0),
    )
    try:
        response = await session.request("GET", f"{driver_setup.simulator.url}/v1.0/", None, {})
        return str(response.status)
    finally:
        await session.close()


Ask = Callable[[DriverSetup], Awaitable[str]]
ASKING: list[Ask] = [signing_in, asking_graph]
LOGIN = "http://somebody:hush%20hush@127.0.0.1"
WANTED = "407 Proxy Authentication Required"
REFUSALS = [
    (WANTED, "http://127.0.0.1", "wants a login (407)", "put user and password into HTTPS_PROXY"),
    (WANTED, LOGIN, "refuses the login in HTTPS_PROXY (407)", "correct user and"),
    ("403 Forbidden", LOGIN, "refuses to connect to localhost:", "have the proxy allow localhost:"),
    ("502 Bad Gateway", LOGIN, "does not reach localhost:", "have the proxy reach localhost:"),
]


@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize(("reply", "address", "output", "remedy"), REFUSALS)
async def test_a_proxy_that_refuses_is_named_with_the_remedy(  # noqa: PLR0913, PLR0917 - the cases
    driver_setup: DriverSetup,
    monkeypatch: pytest.MonkeyPatch,
    ask: Ask,
    reply: str,
    address: str,
    output: str,
    remedy: str,
) -> None:
    async with proxy(reply) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{address}:{port}")
        with pytest.raises(Unavailable) as raised:
            await ask(driver_setup)
        found = await examine(driver_setup)
    tls = only(found, "tls")
    for text, do in ((str(raised.value), raised.value.problem.remedy), (tls.text, tls.problem.remedy)):
        assert f"the proxy 127.0.0.1:{port} {output}" in text
        assert do.startswith(remedy)
        assert "hush" not in text + do
        assert "Error" not in text


@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize(
    ("address", "output"),
    [
        ("http://u:hush@127.0.0.1:{closed}", "the proxy 127.0.0.1:{closed} refuses connections"),
        ("http://u:hush@proxy.invalid:3128", "the proxy proxy.invalid:3128 has an unknown name"),
    ],
)
async def test_a_proxy_that_is_not_there_is_named(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, ask: Ask, address: str, output: str
) -> None:
    closed = free_port()
    monkeypatch.setenv("HTTPS_PROXY", address.format(closed=closed))
    with pytest.raises(Unavailable) as raised:
        await ask(driver_setup)
    assert str(raised.value) == output.format(closed=closed)
    assert (
        "correct HTTPS_PROXY in /etc/default/placed, then systemctl restart placed"
        in raised.value.problem.remedy
    )
    assert "hush" not in f"{raised.value}{raised.value.problem.remedy}"


@pytest.mark.parametrize("ask", ASKING)
async def test_a_proxy_that_inspects_tls_is_suspected(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    settings = DriverSetup.settings

    def without_the_ca(driver_setup: DriverSetup, **changes: Any) -> Microsoft365Settings:
        return settings(driver_setup, **{"ca_file": None, **changes})

    async with proxy(None) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://u:hush@127.0.0.1:{port}")
        monkeypatch.setattr(DriverSetup, "settings", without_the_ca)
        with pytest.raises(Refused) as raised:
            await ask(driver_setup)
        found = await examine(driver_setup)
    tls = only(found, "tls")
    for text, do in ((str(raised.value), raised.value.problem.remedy), (tls.text, tls.problem.remedy)):
        assert f"the proxy 127.0.0.1:{port} may inspect TLS" in text
        assert do.startswith("set ca_file to the proxy's CA, or have the proxy leave localhost:")
        assert "hush" not in text + do


@pytest.mark.parametrize("ask", ASKING)
async def test_a_proxy_that_works_is_used_and_shown(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    asked: list[str] = []
    async with proxy(None, asked) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://u:hush@127.0.0.1:{port}")
        assert await ask(driver_setup)
        assert asked[0].startswith("CONNECT localhost:")
        found = await examine(driver_setup)
    tls = only(found, "tls")
    assert tls.verdict is Verdict.GOOD
    assert f"{urlsplit(driver_setup.simulator.url).netloc} through the proxy 127.0.0.1:{port}" in tls.text
    assert "hush" not in str(found)


async def test_a_host_in_no_proxy_is_reached_without_it_and_shown_so(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert await signing_in(driver_setup)
    found = await examine(driver_setup)
    assert only(found, "tls").text.endswith(": reached and trusted")
    assert "proxy" not in only(found, "tls").text.replace("without a proxy", "")


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "SOCKS4"])
@pytest.mark.parametrize("ask", ASKING)
async def test_a_proxy_of_another_kind_is_one_line(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, kind: str, ask: Ask
) -> None:
    """It was ignored, and the hosts were connected to directly."""
    monkeypatch.setenv("HTTPS_PROXY", f"{kind}://u:hush@proxy.example:1080")
    with pytest.raises(Refused) as raised:
        await ask(driver_setup)
    output = f"HTTPS_PROXY names a proxy of the kind {kind.lower()}://, which placed cannot use"
    assert str(raised.value) == output
    assert "set HTTPS_PROXY=http://HOST:PORT, or NO_PROXY=localhost" in raised.value.problem.remedy
    found = await examine(driver_setup)
    assert only(found, "dns").text == output
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    "address",
    [
        "http://u:hush@:3128",
        "http://u:hush@h:port",
        "http://u:hush@h:99999",
        "http://[",
        "http//u:hush@h:3128",
        "http://u:hush@h:3128/?x",
        "http://u:hush@h h:3128",
    ],
)
@pytest.mark.parametrize("ask", ASKING)
async def test_an_address_that_is_none_is_one_line(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, address: str, ask: Ask
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(DriverError) as raised:
        await ask(driver_setup)
    assert str(raised.value) == "HTTPS_PROXY is not the address of an HTTP proxy"
    found = await examine(driver_setup)
    dns = only(found, "dns")
    assert dns.verdict is Verdict.BAD
    assert dns.text == str(raised.value)
    assert "hush" not in str(found)
