"""The login refuses as Entra does: right status, right error word, right number."""

from __future__ import annotations

import base64
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from placed_microsoft365.simulator import Secret, Where, make_client_certificate

if TYPE_CHECKING:
    from placed_microsoft365.simulator import App, Simulator, Tenant
    from tests.drivers.microsoft365.simulator.conftest import Clock
    from tests.drivers.microsoft365.simulator.simulator_client import Client

CERTIFICATE = make_client_certificate(key_size=2048)
OTHER_CERTIFICATE = make_client_certificate(key_size=2048)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def assertion(
    simulator: Simulator,
    app: App,
    pem: bytes = CERTIFICATE,
    *,
    algorithm: str = "PS256",
    thumbprint_of: bytes | None = None,
    **changed: object,
) -> str:
    """A client assertion such as MSAL makes, with claims changed."""
    certificate = load_pem_x509_certificate(thumbprint_of or pem)
    now = time.time()
    claims: dict[str, Any] = {
        "aud": f"{simulator.url}/{simulator.tenant.tenant_id}/oauth2/v2.0/token",
        "iss": app.client_id,
        "sub": app.client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "exp": now + 600,
        **changed,
    }
    digest = SHA256() if algorithm == "PS256" else SHA1()  # noqa: S303 - the older form of a thumbprint
    name = "x5t#S256" if algorithm == "PS256" else "x5t"
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(digest)).decode()
    key = load_pem_private_key(pem, None)
    return jwt.encode(claims, key, algorithm=algorithm, headers={name: thumbprint})  # type: ignore[arg-type]


def code_of(answer: Any) -> tuple[int, str, int]:
    """Status, error word and number of a refusal."""
    body = answer.json
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    assert set(body) >= {"timestamp", "trace_id", "correlation_id"}
    return answer.status, body["error"], body["error_codes"][0]


async def test_the_token_names_the_app_and_its_roles(
    client: Client, tenant: Tenant, simulator: Simulator
) -> None:
    claims = jwt.decode(client.token, options={"verify_signature": False})
    assert claims["aud"] == simulator.url
    assert claims["appid"] == client.app.client_id
    assert claims["oid"] == client.app.object_id
    assert claims["tid"] == tenant.tenant_id
    assert (claims["appidacr"], claims["ver"], claims["idtyp"]) == ("1", "1.0", "app")
    assert claims["roles"] == ["Calendars.Read", "GroupMember.Read.All", "Place.Read.All"]


async def test_a_token_without_any_role_has_no_roles_claim(client: Client, tenant: Tenant) -> None:
    tenant.revoke(client.app, *client.app.roles)
    await client.log_in()
    assert "roles" not in jwt.decode(client.token, options={"verify_signature": False})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client", 7000215)),
        ({"client_secret": ""}, (401, "invalid_client", 7000218)),
        ({"client_id": str(uuid.UUID(int=7))}, (400, "unauthorized_client", 700016)),
        ({"scope": "Calendars.Read"}, (400, "invalid_scope", 70011)),
        ({"scope": "https://elsewhere.example/.default"}, (400, "invalid_resource", 500011)),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
        ({"scope": ""}, (400, "invalid_request", 900144)),
        ({"tenant": "fabrikam.example"}, (400, "invalid_request", 90002)),
    ],
)
async def test_a_wrong_request_is_refused(
    client: Client, changed: dict[str, str], expected: tuple[int, str, int]
) -> None:
    answer = await client.ask_token(**{"client_secret": "s3cret", **changed})
    assert code_of(answer) == expected


async def test_an_expired_secret_is_refused(client: Client, tenant: Tenant) -> None:
    tenant.expire_secrets(client.app)
    answer = await client.ask_token(client_secret="s3cret")
    assert code_of(answer) == (401, "invalid_client", 7000222)


async def test_a_new_secret_beside_the_expired_one_is_taken(client: Client, clock: Clock) -> None:
    client.app.secrets = [Secret("old", expires=clock()), Secret("new")]
    assert (await client.ask_token(client_secret="old")).json["error_codes"] == [7000222]
    assert (await client.ask_token(client_secret="new")).status == 200


async def test_a_disabled_app_is_refused(client: Client) -> None:
    client.app.disabled = True
    answer = await client.ask_token(client_secret="s3cret")
    assert code_of(answer) == (400, "unauthorized_client", 7000112)


async def test_an_unknown_tenant_has_no_configuration(client: Client, simulator: Simulator) -> None:
    url = f"{simulator.url}/fabrikam.example/v2.0/.well-known/openid-configuration"
    assert code_of(await client.send("GET", url)) == (400, "invalid_request", 90002)


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
async def test_an_assertion_is_taken_again_and_again(
    client: Client, simulator: Simulator, tenant: Tenant, algorithm: str
) -> None:
    """MSAL sends the same one for up to nine minutes."""
    app = tenant.register_app(certificates=[CERTIFICATE])
    signed = assertion(simulator, app, algorithm=algorithm)
    for _ in range(2):
        answer = await client.ask_token(
            client_id=app.client_id, client_assertion=signed, client_assertion_type=JWT_BEARER
        )
        assert answer.status == 200
    claims = jwt.decode(answer.json["access_token"], options={"verify_signature": False})
    assert claims["appidacr"] == "2"


async def ask(client: Client, app: App, signed: str) -> tuple[int, str, int]:
    return code_of(
        await client.ask_token(
            client_id=app.client_id, client_assertion=signed, client_assertion_type=JWT_BEARER
        )
    )


async def test_a_wrong_assertion_is_refused(client: Client, simulator: Simulator, tenant: Tenant) -> None:
    app = tenant.register_app(certificates=[CERTIFICATE])

    async def refusal(**changed: Any) -> int:
        return (await ask(client, app, assertion(simulator, app, **changed)))[2]

    assert await refusal(pem=OTHER_CERTIFICATE) == 700027
    assert await refusal(pem=OTHER_CERTIFICATE, thumbprint_of=CERTIFICATE) == 700027
    assert await refusal(aud="https://login.example/token") == 50013
    assert await refusal(iss="somebody") == 50013
    assert await refusal(sub="somebody") == 50013
    assert await refusal(exp=time.time() - 3600) == 700024
    assert await refusal(nbf=time.time() + 3600) == 700024
    assert await refusal(exp="soon") == 50013
    assert (await ask(client, app, "no.jwt.at-all"))[2] == 50012


async def test_a_jti_under_another_assertion_is_a_replay(
    client: Client, simulator: Simulator, tenant: Tenant
) -> None:
    app = tenant.register_app(certificates=[CERTIFICATE])
    first, second = (assertion(simulator, app, jti="same") for _ in range(2))
    ok = await client.ask_token(
        client_id=app.client_id, client_assertion=first, client_assertion_type=JWT_BEARER
    )
    assert ok.status == 200
    assert (await ask(client, app, second))[2] == 50013


async def test_a_strict_login_takes_an_assertion_once(
    client: Client, simulator: Simulator, tenant: Tenant
) -> None:
    tenant.strict_replay = True
    app = tenant.register_app(certificates=[CERTIFICATE])
    signed = assertion(simulator, app)
    await client.ask_token(client_id=app.client_id, client_assertion=signed, client_assertion_type=JWT_BEARER)
    assert (await ask(client, app, signed))[2] == 50013


async def test_a_secret_may_come_by_basic_authentication(client: Client, simulator: Simulator) -> None:
    basic = base64.b64encode(f"{client.app.client_id}:s3cret".encode()).decode()
    answer = await client.send(
        "POST",
        f"{simulator.url}/contoso.example/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": f"{simulator.url}/.default"},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.status == 200


@pytest.mark.parametrize("error", [53003, 90033, 50196, 500133, 650056])
async def test_the_login_can_be_set_to_refuse(client: Client, tenant: Tenant, error: int) -> None:
    tenant.faults.login_error(error, times=1)
    assert code_of(await client.ask_token(client_secret="s3cret"))[2] == error
    assert (await client.ask_token(client_secret="s3cret")).status == 200


KNOWN = {
    **dict.fromkeys((7000215, 7000222, 700027, 50012, 50013, 500133, 700030), (401, "invalid_client")),
    **dict.fromkeys((7000218, 700025, 650056, 650057), (401, "invalid_client")),
    **dict.fromkeys((700016, 7000112, 70001), (400, "unauthorized_client")),
    **dict.fromkeys((70011, 28002, 700022, 700023), (400, "invalid_scope")),
    500011: (400, "invalid_resource"),
    65001: (400, "invalid_grant"),
    65004: (400, "access_denied"),
    **dict.fromkeys((90002, 90038, 900382, 900432), (400, "invalid_request")),
    **dict.fromkeys((50059, 50128, 50194, 9001023), (400, "invalid_request")),
    **dict.fromkeys((53003, 530032, 50196), (400, "invalid_grant")),
    **dict.fromkeys((90033, 90006, 90012, 90024, 50033), (503, "temporarily_unavailable")),
    90055: (429, "temporarily_unavailable"),
}
"""Every number that an operator can meet, with its status and its word of OAuth."""


@pytest.mark.parametrize("where", [Where.LOGIN, Where.DISCOVERY])
async def test_every_refusal_has_its_status_and_its_word(
    client: Client, tenant: Tenant, where: Where
) -> None:
    discovery = f"{client.simulator.url}/contoso.example/v2.0/.well-known/openid-configuration"
    for error, known in KNOWN.items():
        tenant.faults.login_error(error, times=1, where=where)
        asked = client.log_in() if where is Where.LOGIN else client.send("GET", discovery)
        answer = await asked
        assert code_of(answer) == (*known, error)
        assert "{" not in answer.json["error_description"]


async def test_the_control_interface_can_have_the_login_refuse(client: Client) -> None:
    fault = {"kind": "aadsts", "where": "login", "error": 650056}
    assert (await client.play("POST", "faults", fault)).status == 200
    assert code_of(await client.log_in()) == (401, "invalid_client", 650056)


async def test_a_certificate_that_has_expired_is_refused(
    client: Client, simulator: Simulator, tenant: Tenant
) -> None:
    begun = datetime.now(UTC) - timedelta(days=31)
    expired = make_client_certificate(key_size=2048, valid_from=begun, lifetime=timedelta(days=30))
    app = tenant.register_app(certificates=[expired])
    assert await ask(client, app, assertion(simulator, app, expired)) == (401, "invalid_client", 700027)


async def test_other_paths_are_not_found(client: Client, simulator: Simulator) -> None:
    assert (await client.send("GET", f"{simulator.url}/favicon.ico")).status == 404


async def test_an_assertion_of_another_kind_is_refused(client: Client) -> None:
    answer = await client.ask_token(client_assertion="x", client_assertion_type="saml")
    assert code_of(answer) == (401, "invalid_client", 50012)
