from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from placed.cli import room_stream
from placed.cli.daemon_clock import DaemonClock
from placed.cli.room_stream import Access, NoAnswer
from placed.doctor.endpoint_checks import look_at_endpoint
from placed.domain.clock import SystemClock
from placed.domain.exit_errors import CannotStart
from placed.driver import Verdict
from placed.http.limits import Limits
from placed.settings.loader import load
from placed_microsoft365.simulator import make_client_certificate
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Authority
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint
from tests.unit.settings.test_loader import CONNECTION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.board_setup import BoardSetup


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> tuple[Path, Path]:
    return authority.issue("127.0.0.1", "rooms.contoso.example")


@pytest.fixture
async def secure(
    board_setup: BoardSetup, authority: Authority, pair: tuple[Path, Path]
) -> AsyncIterator[Endpoint]:
    certificate, key = pair
    async with Endpoint(
        board_setup,
        trust=authority.context(),
        certificate=certificate,
        key=key,
        limits=Limits(10, handshake=0.2),
    ) as endpoint:
        yield endpoint


async def test_it_is_https_then(secure: Endpoint, board_setup: BoardSetup) -> None:
    assert secure.server.url.startswith("https://127.0.0.1:")
    assert (await secure.get("/healthz")).json == {"status": "ok"}
    async with secure.listen() as listening:
        await listening.take(4)
        board_setup.read("atrium")
        assert (await listening.next()).data["room"] == "atrium"


async def test_key_and_certificate_may_be_in_one_file(
    board_setup: BoardSetup, authority: Authority, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    write_secret(both, b"".join(path.read_bytes() for path in pair))
    async with Endpoint(board_setup, trust=authority.context(), certificate=both) as endpoint:
        assert (await endpoint.get("/healthz")).status == 200


async def test_a_client_that_does_not_trust_the_certificate_receives_nothing(secure: Endpoint) -> None:
    async with aiohttp.ClientSession() as stranger:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.get(f"{secure.server.url}/healthz")


async def test_neither_plain_http_nor_old_tls_is_spoken(secure: Endpoint, authority: Authority) -> None:
    plain = secure.server.url.replace("https://", "http://")
    async with aiohttp.ClientSession() as client:
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await client.get(f"{plain}/healthz")
    old = authority.context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(*secure.at, ssl=old, server_hostname="127.0.0.1")
    assert (await secure.get("/healthz")).status == 200


async def test_handshakes_that_never_end_take_places_only_for_a_while(secure: Endpoint) -> None:
    """A client of which nothing is known yet counts as one."""
    silent = [await asyncio.open_connection(*secure.at) for _ in range(5)]
    assert (await secure.get("/healthz")).status == 503
    async with asyncio.timeout(DEADLINE):
        for reader, writer in silent:
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.transport.abort()
        while (await secure.get("/healthz")).status == 503:
            pass


async def test_it_ends_at_once_in_the_middle_of_handshakes(
    board_setup: BoardSetup, authority: Authority, pair: tuple[Path, Path]
) -> None:
    endpoint = Endpoint(board_setup, trust=authority.context(), certificate=pair[0], key=pair[1])
    async with endpoint, asyncio.timeout(DEADLINE):
        reader, writer = await asyncio.open_connection(*endpoint.at)
        async with endpoint.listen() as listening:
            await listening.next()
            await endpoint.server.stop()
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.transport.abort()


# --- those who look at it from this machine -----------------------------------------------------------------


async def test_placed_rooms_trusts_the_ca_that_it_is_given(secure: Endpoint, authority: Authority) -> None:
    async with room_stream.session(Access(None, authority.context())) as client:
        listing, _ = await room_stream.listing(client, secure.server.url, DaemonClock(SystemClock()))
        assert len(listing.rooms) == 3
    async with room_stream.session(Access(None, trust=True)) as client:
        with pytest.raises(
            NoAnswer, match=r"certificate is not trusted: unable to get local issuer.*--ca-file"
        ):
            await room_stream.listing(client, secure.server.url, DaemonClock(SystemClock()))


async def test_the_doctor_recognises_a_running_placed_over_http_and_https(
    secure: Endpoint, endpoint: Endpoint, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "placed.toml"
    for running in (secure, endpoint):
        host, port = running.at
        file.write_text(
            f'{CONNECTION}[http]\nlisten = "{host}:{port}"\ncertificate = "{pair[0]}"\nkey = "{pair[1]}"\n'
        )
        (finding,) = await look_at_endpoint(load(file), SystemClock().now())
        assert (finding.verdict, finding.text) == (Verdict.GOOD, f"{host}:{port}: a running placed answers")
    file.write_text(f'{CONNECTION}[http]\nlisten = "127.0.0.1:0"\ncertificate = "{tmp_path / "missing"}"\n')
    (finding,) = await look_at_endpoint(load(file), SystemClock().now())
    assert finding.verdict is Verdict.BAD
    assert finding.text.startswith(f"{file}: http.certificate: {tmp_path / 'missing'}: there is no such file")


async def test_the_doctor_reports_every_error_of_the_tls_files(tmp_path: Path) -> None:
    file, certificate, key = (tmp_path / name for name in ("placed.toml", "cert.pem", "key.pem"))
    file.write_text(
        f'{CONNECTION}[http]\nlisten = "127.0.0.1:0"\ncertificate = "{certificate}"\nkey = "{key}"\n'
    )
    findings = await look_at_endpoint(load(file), SystemClock().now())
    assert [(f.verdict, f.text, f.remedy) for f in findings] == [
        (
            Verdict.BAD,
            f"{file}: http.{name}: {path}: there is no such file",
            "create it or correct the path",
        )
        for name, path in (("certificate", certificate), ("key", key))
    ]


# --- mistakes -----------------------------------------------------------------------------------------------


def problems(board_setup: BoardSetup, **settings: Any) -> tuple[str, ...]:
    with pytest.raises(CannotStart) as caught:
        Endpoint(board_setup, **settings)
    return tuple(problem.line for problem in caught.value.problems)


def test_all_invalid_files_are_named(board_setup: BoardSetup, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert problems(board_setup, certificate=missing, key=tmp_path) == (
        f"http.certificate: {missing}: there is no such file; create it or correct the path",
        f"http.key: {tmp_path}: cannot be read (Is a directory); name a readable file",
    )


def test_what_is_no_certificate_with_its_key_is_refused(
    board_setup: BoardSetup, authority: Authority, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = pair
    nonsense = tmp_path / "nonsense"
    write_secret(nonsense, "nothing")
    for given in (
        {"certificate": nonsense},
        {"certificate": certificate},
        {"certificate": certificate, "key": nonsense},
    ):
        (problem,) = problems(board_setup, **given)
        assert problem.startswith(f"http.certificate: {given['certificate']}: is not a PEM certificate with")
    _, other = authority.issue("other.example")
    assert problems(board_setup, certificate=certificate, key=other) == (
        f"http.key: {other}: is not the key of {certificate}; name the key that belongs to it",
    )
    assert problems(board_setup, key=key) == ("http.key: a key needs its certificate; set http.certificate",)


def test_a_key_that_everybody_can_read_is_refused(
    board_setup: BoardSetup, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = pair
    open_key = tmp_path / "key"
    open_key.write_bytes(key.read_bytes())
    open_key.chmod(0o644)
    (problem,) = problems(board_setup, certificate=certificate, key=open_key)
    assert problem.startswith(f"http.key: {open_key}: can be read by every user of this machine")
    assert "\n" not in problem


async def test_the_doctor_names_a_certificate_that_is_not_valid_now(tmp_path: Path) -> None:
    file, certificate = tmp_path / "placed.toml", tmp_path / "both.pem"
    begins = datetime(2026, 1, 8, tzinfo=UTC)
    write_secret(
        certificate, make_client_certificate(key_size=2048, valid_from=begins, lifetime=timedelta(days=30))
    )
    file.write_text(f'{CONNECTION}[http]\nlisten = "127.0.0.1:0"\ncertificate = "{certificate}"\n')
    found = {}
    for day in (-1, 1, 31):
        (found[day],) = await look_at_endpoint(load(file), begins + timedelta(days=day))
    assert [finding.verdict for finding in found.values()] == [Verdict.BAD, Verdict.GOOD, Verdict.BAD]
    named = f"{file}: http.certificate: {certificate}: the certificate"
    assert found[-1].text == f"{named} is valid only from 2026-01-08 00:00Z on"
    assert found[31].text == f"{named} expired on 2026-02-07"
    assert found[31].remedy == "put a renewed one there, and reload"
