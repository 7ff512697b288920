"""Signing in: certificate and secret, what is refused, and what surrounds it."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
import trustme

from placed.driver import DriverError, NotPermitted, Refused, Unavailable, token_cache
from placed.driver.network.service_clock import ServiceClock
from placed.driver.token_cache import TokenCache
from placed_microsoft365.auth import msal_login
from placed_microsoft365.auth.aadsts_codes import OUT_OF_TIME
from placed_microsoft365.graph.client import GraphClient
from placed_microsoft365.graph.json_structs import Places
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import BOARDROOM, CERTIFICATE, DriverSetup, at, outcomes
from tests.support.access_tokens import signed_in
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.microsoft365.simulator.conftest import Clock, HeldSleep


def off_by(clock: Clock, seconds: float) -> Any:
    """A machine's clock that is wrong by so much."""
    return lambda: clock() + timedelta(seconds=seconds)


async def test_a_secret_reads_calendars(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.book(BOARDROOM, at(9), at(10))
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["read", "read"]


async def test_a_certificate_signs_with_ps256_and_its_sha_256_thumbprint(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    plain = requests.Session.request

    def record(self: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        sent.append(kwargs.get("data"))
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", record)
    file = driver_setup.folder / "placed.pem"
    write_secret(file, b"Bag Attributes\n    friendlyName: B\xfcro\n" + CERTIFICATE)
    driver = driver_setup.open(client_secret_file=None, certificate=file)
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]
    header = jwt.get_unverified_header(next(form["client_assertion"] for form in sent if form))
    assert header["alg"] == "PS256"
    assert "x5t#S256" in header
    assert "x5t" not in header
    assert driver.credential_expires_at == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=3650)


async def test_a_login_host_that_refuses_the_time_that_it_shows_is_waited_for(
    driver_setup: DriverSetup,
) -> None:
    file = driver_setup.folder / "placed.pem"
    write_secret(file, CERTIFICATE)
    driver_setup.tenant.login_clock = lambda: driver_setup.tenant.now() + timedelta(hours=1)
    driver = driver_setup.open(client_secret_file=None, certificate=file, rooms=None, room_list="*")
    with pytest.raises(Unavailable, match="AADSTS700024") as error:
        await driver.find_rooms()
    assert "clock" in error.value.problem.remedy


@pytest.mark.parametrize("off", [-12 * 60, -3 * 86_400, 2 * 3600, -50 * 365 * 86_400])
async def test_what_a_certificate_signs_carries_the_login_hosts_time(
    driver_setup: DriverSetup, clock: Clock, off: int
) -> None:
    """However wrong this machine's clock is; nothing is refused first, nor is anything asked twice."""
    file = driver_setup.folder / "placed.pem"
    write_secret(file, CERTIFICATE)
    driver_setup.clock = off_by(clock, off)
    driver = driver_setup.open(client_secret_file=None, certificate=file)
    queries = [driver_setup.query("boardroom@contoso.example")]
    assert outcomes(await driver_setup.read(driver, *queries)) == ["read"]
    assert driver_setup.sign_ins == 1


async def test_a_discovery_document_from_a_cache_costs_one_more_attempt(
    driver_setup: DriverSetup, clock: Clock
) -> None:
    """What answered the document has kept an old time; the refusal shows the right one."""
    file = driver_setup.folder / "placed.pem"
    write_secret(file, CERTIFICATE)
    driver_setup.tenant.faults.date(
        format_datetime(clock() - timedelta(hours=5), usegmt=True), where=Where.DISCOVERY
    )
    driver = driver_setup.open(client_secret_file=None, certificate=file)
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]


@pytest.mark.parametrize("text", ["Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"])
async def test_where_all_answers_of_the_login_host_carry_a_wrong_time_the_machines_own_is_tried(
    driver_setup: DriverSetup, text: str
) -> None:
    """As behind a gateway with a wrong clock of its own."""
    file = driver_setup.folder / "placed.pem"
    write_secret(file, CERTIFICATE)
    for where in (Where.DISCOVERY, Where.LOGIN):
        driver_setup.tenant.faults.date(text, where=where)
    driver = driver_setup.open(client_secret_file=None, certificate=file)
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (7000215, Refused),
        (7000222, Refused),
        (700016, Refused),
        (700027, Refused),
        (700024, Unavailable),
        (500133, Unavailable),
        (7000112, Refused),
        (90002, Refused),
        (500011, Refused),
        (53003, NotPermitted),
        (90033, Unavailable),
    ],
)
async def test_the_codes_of_entra_determine_who_can_fix_the_error(
    driver_setup: DriverSetup, number: int, kind: type[DriverError]
) -> None:
    driver_setup.tenant.faults.login_error(number)
    with pytest.raises(kind, match=f"AADSTS{number}") as error:
        await driver_setup.open(rooms=None, room_list="*").find_rooms()
    assert bool(error.value.problem.remedy) is (kind is not Unavailable or number in OUT_OF_TIME)


async def test_a_tenant_that_does_not_exist_is_refused_for_good(driver_setup: DriverSetup) -> None:
    with pytest.raises(Refused, match="AADSTS90002"):
        await driver_setup.read(driver_setup.open(tenant="fabrikam.example"))


async def test_a_refused_sign_in_is_not_repeated_at_once(driver_setup: DriverSetup, clock: Clock) -> None:
    driver_setup.tenant.expire_secrets(driver_setup.app)
    driver = driver_setup.open(room_group="placed-rooms@contoso.example", rooms=None)
    queries = [driver_setup.query(f"room-{number}@contoso.example") for number in range(100)]
    for _ in range(3):
        with pytest.raises(Refused):
            await driver.find_rooms()
        with pytest.raises(Refused):
            await driver_setup.read(driver, *queries)
    assert driver_setup.sign_ins == 1
    clock.advance(minutes=1)
    with pytest.raises(Refused):
        await driver.find_rooms()
    assert driver_setup.sign_ins == 2


async def test_a_fixed_sign_in_succeeds_the_next_time(driver_setup: DriverSetup, clock: Clock) -> None:
    fault = driver_setup.tenant.faults.login_error(700016)  # a 400, which MSAL would repeat for a minute
    driver = driver_setup.open()
    with pytest.raises(Refused):
        await driver_setup.read(driver)
    driver_setup.tenant.faults.remove(fault)
    clock.advance(seconds=31)
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]


@pytest.mark.parametrize("where", [Where.LOGIN, Where.DISCOVERY])
@pytest.mark.parametrize("fault", ["html", "html200", "empty", "drop", "truncated", "429", "503", "400"])
async def test_a_login_host_in_trouble_is_unavailable(
    driver_setup: DriverSetup, where: Where, fault: str
) -> None:
    faults = driver_setup.tenant.faults
    match fault:
        case "html":
            faults.html(where=where)
        case "html200":
            faults.html(where=where, status=200)
        case "empty":
            faults.empty(where=where)
        case "drop":
            faults.drop(where=where)
        case "truncated":
            faults.truncated(where=where)
        case _:
            faults.status(int(fault), retry_after="7", where=where)
    with pytest.raises(Unavailable) as error:
        await driver_setup.open(rooms=None, room_list="*").find_rooms()
    if fault in ("429", "503", "400"):
        assert error.value.problem.retry_after == 7


async def test_while_the_login_host_is_down_a_round_requests_one_token(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(503, where=Where.LOGIN)
    driver = driver_setup.open()
    with pytest.raises(Unavailable):
        await driver_setup.read(
            driver, *(driver_setup.query(f"room-{n}@contoso.example") for n in range(200))
        )
    assert driver_setup.sign_ins == 1


async def test_a_login_host_that_hangs_does_not_stop_the_program(
    driver_setup: DriverSetup, held_sleep: HeldSleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_cache, "TIMEOUT", 0.2)
    driver_setup.tenant.faults.delay(3600, where=Where.LOGIN)
    with pytest.raises(Unavailable, match="too long"):
        await driver_setup.open(rooms=None, room_list="*").find_rooms()
    await held_sleep.let_go()
    for thread in threading.enumerate():
        if thread.name == "background":
            await asyncio.to_thread(thread.join)


async def test_a_silent_login_host_times_out(
    driver_setup: DriverSetup, held_sleep: HeldSleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msal_login, "TIMEOUT", 0.2)
    driver_setup.tenant.faults.delay(3600, where=Where.DISCOVERY)
    with pytest.raises(Unavailable, match="no answer in time"):
        await driver_setup.open(rooms=None, room_list="*").find_rooms()
    await held_sleep.let_go()


async def test_a_named_ca_wins_over_the_environment(
    driver_setup: DriverSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(other))
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["read", "read"]


async def test_a_login_host_that_is_not_trusted_is_refused(driver_setup: DriverSetup) -> None:
    with pytest.raises(Refused, match="is not trusted") as error:
        await driver_setup.read(driver_setup.open(ca_file=None))
    assert "ca_file" in error.value.problem.remedy


async def test_a_graph_host_that_is_not_trusted_is_refused(driver_setup: DriverSetup, clock: Clock) -> None:
    source = TokenCache(signed_in, lambda: clock().timestamp())
    graph = GraphClient(
        driver_setup.simulator.url, source, ca_file=None, version="1", clock=ServiceClock(clock, lambda: 0.0)
    )
    with pytest.raises(Refused, match="is not trusted") as error:
        await graph.get("/places/microsoft.graph.room", Places)
    await graph.close()
    assert "ca_file" in error.value.problem.remedy


async def test_a_netrc_does_not_win_over_the_credential(
    driver_setup: DriverSetup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ada password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["read", "read"]


async def test_a_credential_is_not_carried_to_another_host(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = requests.adapters.HTTPAdapter.send

    def elsewhere(
        self: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **kwargs: Any
    ) -> requests.Response:
        asked.append(str(request.url))
        response = plain(self, request, **kwargs)
        if request.method == "POST":
            response.status_code = 307
            response.headers["Location"] = "https://elsewhere.example/token"
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", elsewhere)
    driver_setup.tenant.faults.empty(where=Where.LOGIN)
    with pytest.raises(Unavailable, match="307"):
        await driver_setup.open(rooms=None, room_list="*").find_rooms()
    assert len(asked) == 2
    assert not [url for url in asked if "elsewhere" in url]


@pytest.mark.parametrize("trouble", ["wrong secret", "unknown tenant", "drop", "untrusted"])
async def test_messages_contain_neither_secret_nor_token(
    driver_setup: DriverSetup, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    file = driver_setup.folder / "other"
    write_secret(file, "V3rySecret")
    driver = driver_setup.open(
        client_secret_file=file,
        tenant="fabrikam.example" if trouble == "unknown tenant" else "contoso.example",
        ca_file=None if trouble == "untrusted" else driver_setup.simulator.ca_file,
    )
    if trouble == "drop":
        driver_setup.tenant.faults.drop(where=Where.LOGIN)
    with pytest.raises(DriverError) as error:
        await driver_setup.read(driver, *(driver_setup.query(f"room-{n}@contoso.example") for n in range(60)))
    reported = caplog.text + "".join(traceback.format_exception(error.value)) + error.value.problem.remedy
    assert "V3rySecret" not in reported
    assert "room-1" not in reported
