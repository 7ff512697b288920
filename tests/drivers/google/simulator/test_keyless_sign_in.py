"""Workload identity: a token of another provider is exchanged, and used for a service account."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.auth import identity_pool
from google.auth.transport.requests import Request

from tests.drivers.google.simulator.conftest import BOARDROOM
from tests.drivers.google.simulator.plain_client import READONLY

if TYPE_CHECKING:
    from pathlib import Path

    from placed_google.simulator import ServiceAccount, Simulator, WorkloadIdentity, Workspace
    from tests.drivers.google.simulator.plain_client import Answer, PlainClient

JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


@pytest.fixture
def identity(workspace: Workspace, account: ServiceAccount) -> WorkloadIdentity:
    identity = workspace.add_workload_identity(account)
    identity.subject_tokens.add("subject-token")
    return identity


async def exchange(client: PlainClient, identity: WorkloadIdentity, **changes: str) -> Answer:
    asked = {
        "grantType": EXCHANGE,
        "audience": identity.audience,
        "scope": PLATFORM,
        "subjectToken": "subject-token",
        "subjectTokenType": JWT_TYPE,
        **changes,
    }
    return await client.send("POST", f"{client.simulator.url}/v1/token", json=asked)


async def method(client: PlainClient, account: ServiceAccount, name: str, body: Any) -> Answer:
    return await client.post(f"/v1/projects/-/serviceAccounts/{account.email}:{name}", body)


async def test_googles_library_signs_in_with_a_file(
    simulator: Simulator,
    identity: WorkloadIdentity,
    account: ServiceAccount,
    client: PlainClient,
    tmp_path: Path,
) -> None:
    (tmp_path / "subject").write_text("subject-token")
    info = json.loads(simulator.workload_identity_json(identity, account, tmp_path / "subject"))
    credentials = identity_pool.Credentials.from_info(info, scopes=[READONLY])  # type: ignore[no-untyped-call]
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(simulator.ca_file)
        await asyncio.to_thread(credentials.refresh, Request(session))
    client.token = credentials.token
    assert (await client.events(BOARDROOM)).json["accessRole"] == "reader"


async def test_an_exchanged_token_reads_no_calendar_by_itself(
    client: PlainClient, identity: WorkloadIdentity, account: ServiceAccount
) -> None:
    answer = await exchange(client, identity)
    client.token = answer.json["access_token"]
    assert (await client.events(BOARDROOM)).status == 401
    answer = await method(client, account, "generateAccessToken", {"scope": [READONLY], "lifetime": "600s"})
    assert answer.json["expireTime"] == "2026-12-02T07:40:00Z"
    client.token = answer.json["accessToken"]
    assert (await client.events(BOARDROOM)).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subjectToken": "another"}, "invalid_grant"),
        ({"audience": "//iam.googleapis.com/projects/1"}, "invalid_request"),
        ({"subjectTokenType": "text"}, "invalid_request"),
        ({"grantType": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_exchange_is_refused(
    client: PlainClient, identity: WorkloadIdentity, changes: dict[str, str], error: str
) -> None:
    answer = await exchange(client, identity, **changes)
    assert (answer.status, answer.json["error"]) == (400, error)


async def test_a_principal_may_use_only_the_accounts_it_was_granted(
    client: PlainClient, identity: WorkloadIdentity, workspace: Workspace
) -> None:
    client.token = (await exchange(client, identity)).json["access_token"]
    other = workspace.add_service_account("other")
    answer = await method(client, other, "generateAccessToken", {"scope": [READONLY]})
    assert (answer.status, answer.json["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert answer.json["error"]["details"][0]["reason"] == "IAM_PERMISSION_DENIED"


@pytest.mark.parametrize("body", [{"scope": []}, {"scope": [READONLY], "lifetime": "7200s"}])
async def test_scope_and_lifetime_are_checked(
    client: PlainClient, identity: WorkloadIdentity, account: ServiceAccount, body: dict[str, Any]
) -> None:
    client.token = (await exchange(client, identity)).json["access_token"]
    assert (await method(client, account, "generateAccessToken", body)).status == 400


async def test_what_google_signs_for_an_account_is_an_assertion(
    client: PlainClient, identity: WorkloadIdentity, account: ServiceAccount
) -> None:
    client.token = (await exchange(client, identity)).json["access_token"]
    claims = client.claims()
    answer = await method(client, account, "signJwt", {"payload": json.dumps(claims)})
    token = await client.ask_token(assertion=answer.json["signedJwt"])
    assert token.status == 200
