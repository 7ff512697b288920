"""An administrator is sent to the consent page, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from placed_microsoft365.simulator.consent import ConsentAnswer

if TYPE_CHECKING:
    from placed_microsoft365.simulator import App, Tenant
    from tests.simulator.client import Answer, Client

BACK = "http://127.0.0.1:8621/consent"


@pytest.fixture
def asking(tenant: Tenant) -> App:
    """An app that has asked for a permission and has none."""
    return tenant.register_app(requested={"Calendars.Read"}, redirect_uris=[BACK])


async def visit(client: Client, app: App, path: str = "contoso.example/v2.0", **changed: str) -> Answer:
    query = {
        "client_id": app.client_id,
        "scope": f"{client.simulator.url}/.default",
        "redirect_uri": BACK,
        "state": "s 1",
        **changed,
    }
    url = f"{client.simulator.url}/{path}/adminconsent?{urlencode(query)}"
    return await client.send("GET", url, allow_redirects=False)


def sent_back(answer: Answer) -> dict[str, str]:
    """The parameters of the redirect."""
    assert answer.status == 302
    address = urlsplit(answer.headers["Location"])
    assert address.geturl().startswith(BACK)
    return {name: values[0] for name, values in parse_qs(address.query).items()}


async def test_a_granted_consent_is_told_and_counts(client: Client, tenant: Tenant, asking: App) -> None:
    told = sent_back(await visit(client, asking))
    assert told == {
        "admin_consent": "True",
        "tenant": tenant.tenant_id,
        "scope": f"{client.simulator.url}/.default",
        "state": "s 1",
    }
    assert asking.granted(tenant.now()) == ["Calendars.Read"]


async def test_the_older_page_grants_too(client: Client, tenant: Tenant, asking: App) -> None:
    told = sent_back(await visit(client, asking, path="common"))
    assert told == {"admin_consent": "True", "tenant": tenant.tenant_id, "state": "s 1"}


@pytest.mark.parametrize(
    ("path", "error"), [("organizations/v2.0", "consent_required"), ("organizations", "permission_denied")]
)
async def test_a_declined_consent_is_told(
    client: Client, tenant: Tenant, asking: App, path: str, error: str
) -> None:
    tenant.consent_answer = ConsentAnswer.DECLINED
    told = sent_back(await visit(client, asking, path=path))
    assert (told["error"], told["state"]) == (error, "s 1")
    assert asking.granted(tenant.now()) == []


async def test_an_answer_can_be_forged(client: Client, tenant: Tenant, asking: App) -> None:
    tenant.consent_answer = ConsentAnswer.WRONG_STATE
    assert sent_back(await visit(client, asking))["state"] == "forged"


async def test_who_is_no_administrator_is_not_sent_back(client: Client, tenant: Tenant, asking: App) -> None:
    tenant.consent_answer = ConsentAnswer.NOT_AN_ADMINISTRATOR
    answer = await visit(client, asking)
    assert (answer.status, b"Need admin approval" in answer.body) == (200, True)


@pytest.mark.parametrize(
    ("path", "changed", "error"),
    [
        ("common/v2.0", {}, b"AADSTS90002"),
        ("fabrikam.example/v2.0", {}, b"AADSTS90002"),
        ("contoso.example/v2.0", {"client_id": "unknown"}, b"AADSTS700016"),
        ("contoso.example/v2.0", {"redirect_uri": "https://evil.example/"}, b"AADSTS50011"),
        ("contoso.example/v2.0", {"redirect_uri": ""}, b"AADSTS50011"),
        ("contoso.example/v2.0", {"scope": "Calendars.Read"}, b"AADSTS70011"),
    ],
)
async def test_a_wrong_address_ends_at_a_page(
    client: Client, asking: App, path: str, changed: dict[str, str], error: bytes
) -> None:
    answer = await visit(client, asking, path=path, **changed)
    assert (answer.status, error in answer.body) == (400, True)
