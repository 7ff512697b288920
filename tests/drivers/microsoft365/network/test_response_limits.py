"""However a host answers: every answer has a limit in size and time, and another host gets no secret."""

from __future__ import annotations

import asyncio
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from placed.driver import DriverError, Refused
from placed.driver.network.response_decompression import Body, BodyTooLarge, DamagedBody
from placed_microsoft365.auth import msal_transport
from placed_microsoft365.auth.msal_transport import LoginTransport
from placed_microsoft365.clouds import CLOUDS
from placed_microsoft365.consent.redirect_result import tenant_id
from tests.drivers.microsoft365.network.scripted_tls_server import (
    Host,
    answer,
    described,
    host,
    threads_end,
    trusted,
)
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.drivers.microsoft365.driver_setup import DriverSetup

MUCH = 256 * 2**20  # bytes that a bomb has when it is unpacked
FEW = 24 * 2**20  # bytes that may be in use meanwhile
SECOND = 1.0


def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(MUCH // 2**20)), packer.flush()])


@pytest.fixture(scope="session")
def packed() -> bytes:
    return bomb()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msal_transport, "ONE", SECOND)


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


async def endless(writer: Any) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b" " * 65536)
        await writer.drain()
        await asyncio.sleep(0)
    raise ConnectionResetError


async def drips(writer: Any, head: bytes) -> None:
    """A byte now and then, for ever: no silence is long."""
    writer.write(head)
    while not writer.transport.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)  # real time: the limit is one of the socket's
    raise ConnectionResetError


async def sign_in(driver_setup: DriverSetup, ca: trustme.CA, at: Host) -> DriverError:
    """The error that it ends with; and by then its thread is over."""
    driver = driver_setup.open(
        authority=at.url, ca_file=trusted(ca, driver_setup.folder), rooms=None, room_list="*"
    )
    with pytest.raises(DriverError) as error:
        await driver.find_rooms()
    assert await threads_end()
    assert "s3cret" not in str(error.value)
    return error.value


STAGES = ["the description", "the token"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "zstd", "deflate"])
async def test_an_answer_that_unpacks_to_gigabytes_takes_no_memory(
    driver_setup: DriverSetup, ca: trustme.CA, packed: bytes, stage: str, encoding: str
) -> None:
    async def act(at: Host, writer: asyncio.StreamWriter, path: str) -> None:
        bad = (stage == STAGES[0]) is ("openid" in path)
        writer.write(answer(packed, f"Content-Encoding: {encoding}") if bad else described(at))

    async with host(ca, act) as at:
        tracemalloc.start()
        try:
            error = await sign_in(driver_setup, ca, at)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < FEW
    assert isinstance(error, BodyTooLarge if encoding == "gzip" else DamagedBody)


@pytest.mark.parametrize("stage", STAGES)
async def test_an_answer_without_an_end_is_ended_by_us(
    driver_setup: DriverSetup, ca: trustme.CA, stage: str
) -> None:
    async def act(at: Host, writer: asyncio.StreamWriter, path: str) -> None:
        if (stage == STAGES[0]) is ("openid" in path):
            await endless(writer)
        writer.write(described(at))

    async with host(ca, act) as at:
        assert isinstance(await sign_in(driver_setup, ca, at), BodyTooLarge)
        async with asyncio.timeout(DEADLINE):
            await at.ended.wait()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 X\r\nServer: slow",
        b"HTTP/1.1 200 ",
    ],
)
@pytest.mark.parametrize("stage", STAGES)
async def test_an_answer_that_comes_in_drops_is_not_waited_for(
    driver_setup: DriverSetup, ca: trustme.CA, head: bytes, stage: str
) -> None:
    async def act(at: Host, writer: asyncio.StreamWriter, path: str) -> None:
        if (stage == STAGES[0]) is ("openid" in path):
            await drips(writer, head)
        writer.write(described(at))

    async with host(ca, act) as at:
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert not isinstance(await sign_in(driver_setup, ca, at), Refused)
        assert loop.time() - began < 5 * SECOND


# --- no secret to another host ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "{url}/token",
        "http://localhost:{port}/token",
        "{own}@localhost:{port}/token",
        "https://127.0.0.1:{port}/t",
    ],
)
async def test_an_endpoint_on_another_host_gets_no_secret(
    driver_setup: DriverSetup, ca: trustme.CA, written: str
) -> None:
    async def other(_at: Host, writer: asyncio.StreamWriter, _path: str) -> None:
        writer.write(answer(b'{"access_token":"x","expires_in":3600,"token_type":"Bearer"}'))

    async with host(ca, other) as thief:

        async def act(at: Host, writer: asyncio.StreamWriter, _path: str) -> None:
            endpoint = written.format(url=thief.url, port=thief.port, own=at.url)
            writer.write(described(at, token_endpoint=endpoint))

        async with host(ca, act) as at:
            error = await sign_in(driver_setup, ca, at)
            assert len(at.heard) == 1
        assert thief.heard == []
    if written.startswith("http:"):
        return  # MSAL refuses that by itself
    assert isinstance(error, Refused)
    assert "another host" in str(error)
    assert "authority" in error.problem.remedy


@pytest.mark.parametrize(
    ("login", "endpoint", "allowed"),
    [
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com/t/token", True),
        ("https://login.microsoftonline.com", "https://login.windows.net/t/token", True),
        ("https://login.microsoftonline.com", "https://login.microsoftonline.us/t/token", False),
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com.evil.example/token", False),
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com:8443/token", False),
        ("https://login.microsoftonline.com", "http://login.microsoftonline.com/token", False),
        ("https://login.microsoftonline.com", "https://login.microsoftonline.com@evil.example/token", False),
        ("https://login.microsoftonline.us", "https://login.microsoftonline.us/t/token", True),
        ("https://login.partner.microsoftonline.cn", "https://login.chinacloudapi.cn/t/token", True),
        ("https://login.example:8443", "https://login.example:8443/token", True),
        ("https://login.example:8443", "https://LOGIN.example:8443/token", True),
        ("https://login.example:8443", "https://login.example/token", False),
        ("https://login.example", "https://login.example:443/token", True),
        ("https://login.example", "https://login.microsoftonline.com/token", False),
        ("https://login.example", "file:///etc/passwd", False),
        ("https://login.example", "https://[::1/token", False),
        ("https://login.example", "", False),
    ],
)
def test_which_hosts_are_the_login_host(login: str, endpoint: str, *, allowed: bool) -> None:
    transport = LoginTransport(login)
    try:
        transport.check(endpoint)
    except Refused:
        assert not allowed
    else:
        assert allowed


def test_every_cloud_s_login_host_is_its_own() -> None:
    for hosts in CLOUDS.values():
        LoginTransport(hosts.login).check(f"{hosts.login}/contoso/oauth2/v2.0/token")


# --- every client ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["endless", "bomb"])
async def test_the_tenant_s_guid_has_the_same_limits(
    driver_setup: DriverSetup, ca: trustme.CA, packed: bytes, what: str
) -> None:
    async def act(_at: Host, writer: asyncio.StreamWriter, _path: str) -> None:
        if what == "endless":
            await endless(writer)
        writer.write(answer(packed, "Content-Encoding: gzip"))

    async with host(ca, act) as at:
        settings = driver_setup.settings(authority=at.url, ca_file=trusted(ca, driver_setup.folder))
        with pytest.raises(BodyTooLarge):
            await tenant_id(settings)


def test_a_body_is_whole_or_an_error() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b"{}" * 100) + packer.flush()

    def taken(*pieces: bytes, encoding: str | None = "gzip", largest: int = 200) -> bytes:
        body = Body(encoding, largest)
        for piece in pieces:
            body.feed(piece)
        return body.whole()

    assert taken(*(packed[n : n + 1] for n in range(len(packed)))) == b"{}" * 100
    assert taken(b"{}", encoding=None) == b"{}"
    assert taken(b"", encoding="gzip") == b""
    with pytest.raises(BodyTooLarge):
        taken(packed, largest=199)
    failing: list[Callable[[], object] | Awaitable[object]] = [
        lambda: taken(packed[:-4]),
        lambda: taken(packed + packed),
        lambda: taken(b"no gzip"),
        lambda: taken(packed, encoding="br"),
    ]
    for fails in failing:
        with pytest.raises(DamagedBody):
            fails()  # type: ignore[operator]
