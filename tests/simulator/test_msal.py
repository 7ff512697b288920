"""The real MSAL logs in at the simulated login host."""

from __future__ import annotations

import asyncio
import ssl
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
