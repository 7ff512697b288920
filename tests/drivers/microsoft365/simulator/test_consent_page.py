"""An administrator is sent to the consent page, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from placed_microsoft365.simulator.tenant.tenant import ConsentAnswer

if TYPE_CHECKING:
    from placed_microsoft365.simulator import App, Tenant
    from tests.drivers.microsoft365.simulator.conftest import Clock
    from tests.drivers.microsoft365.simulator.simulator_client import Answer, Client

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


def sent_back(answer: Answer, to: str = BACK) -> dict[str, str]:
    """The parameters of the redirect."""
    assert answer.status == 302
    address = urlsplit(answer.headers["Location"])
    assert address._replace(query="").geturl() == to
    return {name: values[0] for name, values in parse_qs(address.query).items()}


async def test_a_granted_consent_is_reported_and_takes_effect(
    client: Client, tenant: Tenant, asking: App
) -> None:
    reported = sent_back(await visit(client, asking))
    assert reported == {
        "admin_consent": "True",
        "tenant": tenant.tenant_id,
        "scope": f"{client.simulator.url}/.default",
        "state": "s 1",
    }
    assert asking.granted(tenant.now()) == ["Calendars.Read"]


async def test_the_older_page_grants_too(client: Client, tenant: Tenant, asking: App) -> None:
    reported = sent_back(await visit(client, asking, path="common"))
    assert reported == {"admin_consent": "True", "tenant": tenant.tenant_id, "state": "s 1"}


@pytest.mark.parametrize(
    ("path", "error"), [("organizations/v2.0", "consent_required"), ("organizations", "permission_denied")]
)
async def test_a_declined_consent_is_reported(
    client: Client, tenant: Tenant, asking: App, path: str, error: str
) -> None:
    tenant.consent_answer = ConsentAnswer.DECLINED
    reported = sent_back(await visit(client, asking, path=path))
    assert (reported["error"], reported["state"]) == (error, "s 1")
    assert asking.granted(tenant.now()) == []


async def test_an_answer_can_be_forged(client: Client, tenant: Tenant, asking: App) -> None:
    tenant.consent_answer = ConsentAnswer.WRONG_STATE
    assert sent_back(await visit(client, asking))["state"] == "forged"


async def test_a_user_without_the_admin_role_is_not_redirected(
    client: Client, tenant: Tenant, asking: App
) -> None:
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


# --- where the browser is sent back to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://localhost/consent", "http://localhost:49152/consent"),
        ("http://localhost:8621/consent", "http://localhost/consent"),
        ("http://127.0.0.1/consent", "http://127.0.0.1:49152/consent"),
        ("https://localhost/consent", "https://localhost:49152/consent"),
        ("http://localhost", "http://localhost:49152/"),
        ("http://localhost/", "http://localhost:49152"),
        ("https://placed.contoso.example/back", "https://placed.contoso.example/back"),
    ],
)
async def test_the_port_of_localhost_does_not_count(
    client: Client, tenant: Tenant, registered: str, asked: str
) -> None:
    app = tenant.register_app(redirect_uris=["https://contoso.example/other", registered])
    there = asked if urlsplit(asked).path else f"{asked}/"
    sent_back(await visit(client, app, redirect_uri=asked), to=there)


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://localhost/consent", "http://localhost:49152/Consent"),
        ("http://localhost/consent", "http://localhost:49152/consent/"),
        ("http://localhost/consent", "http://localhost:49152/"),
        ("http://localhost/consent", "https://localhost/consent"),
        ("http://localhost/consent", "http://127.0.0.1/consent"),
        ("http://localhost/consent", "http://localhost.evil.example/consent"),
        ("http://localhost/consent", "http://localhost@evil.example/consent"),
        ("http://localhost/consent", "http://localhost/consent?more=1"),
        ("https://placed.contoso.example/back", "https://placed.contoso.example:444/back"),
        ("https://placed.contoso.example/back", "http://placed.contoso.example/back"),
    ],
)
async def test_everything_else_of_an_address_counts(
    client: Client, tenant: Tenant, registered: str, asked: str
) -> None:
    app = tenant.register_app(redirect_uris=[registered])
    answer = await visit(client, app, redirect_uri=asked)
    assert (answer.status, b"AADSTS50011" in answer.body) == (400, True)


async def test_an_app_without_a_redirect_address_does_not_redirect(client: Client, tenant: Tenant) -> None:
    answer = await visit(client, tenant.register_app(redirect_uris=[]))
    assert (answer.status, b"AADSTS500113" in answer.body) == (400, True)


@pytest.mark.parametrize(
    "uri",
    [
        "http://placed.contoso.example/",
        "http://localhost.contoso.example/",
        "https:///back",
        "https://*.contoso.example/",
        "https://contoso.example/#fragment",
        "https://contoso.example/" + "x" * 256,
        "placed",
    ],
)
def test_an_address_that_an_app_may_not_have_is_refused(tenant: Tenant, uri: str) -> None:
    with pytest.raises(ValueError, match="redirect URI"):
        tenant.register_app(redirect_uris=[uri])


# --- what the control interface sets ------------------------------------------------------------------------


async def test_a_consent_can_take_its_time(client: Client, tenant: Tenant, asking: App, clock: Clock) -> None:
    reported = await client.play("POST", "consent-answer", {"delay": "90m"})
    assert reported.json == {"answer": "granted", "delay_seconds": 5400.0}
    assert sent_back(await visit(client, asking))["admin_consent"] == "True"
    assert asking.granted(tenant.now()) == []
    clock.advance(minutes=90)
    assert asking.granted(tenant.now()) == ["Calendars.Read"]


@pytest.mark.parametrize("answer", list(ConsentAnswer))
async def test_what_the_administrator_does_is_set_from_outside(
    client: Client, tenant: Tenant, answer: ConsentAnswer
) -> None:
    await client.play("POST", "consent-answer", {"answer": answer.value})
    assert (await client.play("GET", "consent-answer")).json["answer"] == answer.value
    assert tenant.consent_answer is answer
