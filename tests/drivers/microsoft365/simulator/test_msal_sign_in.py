"""The real MSAL logs in at the simulated login host."""

from __future__ import annotations

import asyncio
import ssl
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msal
import pytest
import requests

from placed_microsoft365.simulator import App, Simulator, Tenant, make_client_certificate

CERTIFICATE = make_client_certificate(key_size=2048)


async def acquire(
    simulator: Simulator, app: App, credential: object, tenant: str = "contoso.example"
) -> dict[str, Any]:
    def ask() -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(simulator.ca_file)
            client = msal.ConfidentialClientApplication(
                app.client_id,
                client_credential=credential,
                authority=f"{simulator.url}/{tenant}",
                instance_discovery=False,
                http_client=session,
            )
            return dict(client.acquire_token_for_client([f"{simulator.url}/.default"]))

    return await asyncio.to_thread(ask)


def pem_credential() -> dict[str, str]:
    text = CERTIFICATE.decode()
    begin = text.index("-----BEGIN CERTIFICATE-----")
    return {"private_key": text[:begin], "public_certificate": text[begin:]}


async def test_a_secret_gets_a_token_that_reads_a_calendar(simulator: Simulator, tenant: Tenant) -> None:
    app = tenant.register_app(secrets=["s3cret"], roles={"Calendars.Read"})
    token = (await acquire(simulator, app, "s3cret"))["access_token"]
    async with aiohttp.ClientSession() as session:
        url = f"{simulator.url}/v1.0/users/boardroom@contoso.example/calendarView"
        response = await session.get(
            url,
            params={"startDateTime": "2026-10-06T00:00:00Z", "endDateTime": "2026-10-07T00:00:00Z"},
            headers={"Authorization": f"Bearer {token}"},
            ssl=ssl.create_default_context(cafile=str(simulator.ca_file)),
        )
        assert (await response.json())["value"] == []


@pytest.mark.parametrize("name", ["contoso.example", "guid"])
async def test_a_certificate_gets_a_token(simulator: Simulator, tenant: Tenant, name: str) -> None:
    app = tenant.register_app(certificates=[CERTIFICATE], roles={"Calendars.Read"})
    answer = await acquire(simulator, app, pem_credential(), tenant.tenant_id if name == "guid" else name)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3599


async def test_msal_reports_the_error_of_a_wrong_secret(simulator: Simulator, tenant: Tenant) -> None:
    app = tenant.register_app(secrets=["s3cret"])
    answer = await acquire(simulator, app, "wrong")
    assert (answer["error"], answer["error_codes"]) == ("invalid_client", [7000215])


async def test_msal_reports_an_unregistered_certificate(simulator: Simulator, tenant: Tenant) -> None:
    answer = await acquire(simulator, tenant.register_app(secrets=["s3cret"]), pem_credential())
    assert answer["error_codes"] == [700027]


async def test_a_client_with_a_wrong_clock_is_refused(simulator: Simulator, tenant: Tenant) -> None:
    app = tenant.register_app(certificates=[CERTIFICATE])
    tenant.login_clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    assert (await acquire(simulator, app, pem_credential()))["error_codes"] == [700024]


async def test_msal_finds_no_unknown_tenant(simulator: Simulator, tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        await acquire(simulator, tenant.register_app(), "s3cret", tenant="fabrikam.example")


async def test_a_client_that_does_not_trust_the_ca_does_not_connect(simulator: Simulator) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{simulator.url}/v1.0/groups")


async def test_a_port_that_is_taken_is_an_error(simulator: Simulator, tenant: Tenant) -> None:
    port = int(simulator.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        async with Simulator(tenant, port=port):
            pass


async def test_the_settings_of_a_daemon_are_toml(simulator: Simulator, tenant: Tenant) -> None:
    app = tenant.register_app(secrets=["s3cret"])
    text = simulator.settings_toml(
        app, client_secret_file=Path("/run/secret"), rooms=["boardroom@contoso.example"]
    )
    assert tomllib.loads(text) == {
        "connections": [
            {
                "name": "contoso",
                "driver": "microsoft365",
                "tenant": "contoso.example",
                "client_id": app.client_id,
                "client_secret_file": "/run/secret",
                "authority": simulator.url,
                "graph": simulator.url,
                "ca_file": str(simulator.ca_file),
                "rooms": ["boardroom@contoso.example"],
                "time_zone": "UTC",
            }
        ]
    }
