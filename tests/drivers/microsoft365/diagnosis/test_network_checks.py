"""Names, certificates, proxies and the clock between placed and the service."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.drivers.microsoft365.diagnosis.test_check_sequence import (
    BAD,
    DOUBTFUL,
    GOOD,
    examine,
    only,
    verdicts,
    waiting,
)
from tests.support.free_ports import free_port
from tests.support.mosquitto import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from placed.driver import Verdict
    from tests.drivers.microsoft365.driver_setup import DriverSetup


async def test_an_unresolved_host_name_is_reported(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup, authority="https://login..example")
    assert only(found, "dns").text == "login..example: no host can have this name"
    assert only(found, "dns").remedy.startswith("correct authority in the settings")
    assert waiting(found) == {"tls": "dns", "token": "dns", "claims": "dns"}
    assert verdicts(found)["clock"] is GOOD  # Graph's answers have the time as well


async def test_services_of_another_ca_are_not_trusted(driver_setup: DriverSetup, tmp_path: Path) -> None:
    found = await examine(driver_setup, ca_file=Authority(tmp_path / "stranger").ca_file)
    tls = only(found, "tls")
    assert tls.verdict is BAD
    assert "its certificate is not trusted" in tls.text
    assert tls.remedy == "set ca_file to the CA that signed it, or correct the address"
    assert waiting(found) == {"clock": "tls", "token": "tls", "claims": "tls"}
    assert driver_setup.sign_ins == 0


@pytest.mark.parametrize(
    ("issued", "reported", "remedy"),
    [
        (("elsewhere.example", -9, 9), "Hostname mismatch", "set authority to the name that the certificate"),
        (("localhost", -9, -1), "certificate has expired", "have the operator of localhost"),
        (("localhost", 1, 9), "certificate is not yet valid", "set this machine's clock: timedatectl"),
    ],
)
async def test_the_reason_of_an_untrusted_certificate_is_reported(
    driver_setup: DriverSetup, tmp_path: Path, issued: tuple[str, int, int], reported: str, remedy: str
) -> None:
    name, since, until = issued
    stranger, today = Authority(tmp_path / "stranger"), datetime.now(UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.ca.issue_cert(
        name, not_before=today + timedelta(days=since), not_after=today + timedelta(days=until)
    ).configure_cert(context)
    async with await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, ssl=context) as host:
        url = f"https://localhost:{host.sockets[0].getsockname()[1]}"
        found = await examine(driver_setup, authority=url, graph=url, ca_file=stranger.ca_file)
    tls = only(found, "tls")
    assert reported in tls.text
    assert tls.remedy.startswith(remedy)
    assert waiting(found) == {"clock": "tls", "token": "tls", "claims": "tls"}


async def test_a_ca_file_without_a_certificate_is_reported(driver_setup: DriverSetup) -> None:
    empty = driver_setup.folder / "empty.pem"
    empty.touch()
    found = await examine(driver_setup, ca_file=empty)
    assert [f.verdict for f in found if f.check == "files"] == [GOOD, BAD]
    assert waiting(found) == {"tls": "files", "clock": "files", "token": "files", "claims": "files"}


async def test_unreachable_services_are_reported(driver_setup: DriverSetup) -> None:
    async with driver_setup.simulator.outage():
        found = await examine(driver_setup)
    tls = only(found, "tls")
    assert "Connection refused" in tls.text
    assert tls.remedy.startswith("let this machine reach localhost")
    assert waiting(found) == {"clock": "tls", "token": "tls", "claims": "tls"}


async def test_an_unreachable_proxy_is_reported(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:hush@127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    found = await examine(driver_setup)
    assert only(found, "dns").text == "127.0.0.1, the proxy: found"
    assert "refuses connections" in only(found, "tls").text
    assert only(found, "tls").remedy.startswith("start the proxy, or correct HTTPS_PROXY")
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("ahead", "verdict", "reported"),
    [
        (0, GOOD, "within 1 s of the services'"),
        (50, GOOD, "within 50 s of the services'"),
        (90, DOUBTFUL, "1 min 30 s ahead of the services'"),
        (-200, DOUBTFUL, "3 min 20 s behind the services'"),
        (600, BAD, "10 min 0 s ahead of the services': TLS may take valid certificates for invalid"),
        (-86_400, BAD, "24 h behind the services': TLS may take valid certificates for invalid"),
    ],
)
async def test_the_clock_is_held_against_the_services(
    driver_setup: DriverSetup, ahead: int, verdict: Verdict, reported: str
) -> None:
    found = await examine(driver_setup, ahead=ahead + 0.5)
    clock = only(found, "clock")
    assert (clock.verdict, clock.text) == (verdict, reported)
    assert ("timedatectl" in clock.remedy) == (verdict is not GOOD)
    assert waiting(found) == {}
