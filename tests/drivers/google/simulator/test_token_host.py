"""The token host checks an assertion as Google's does, and names what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from placed_google.simulator import make_private_key
from tests.drivers.google.simulator.conftest import BOARDROOM
from tests.drivers.google.simulator.plain_client import READONLY, Answer

if TYPE_CHECKING:
    from placed_google.simulator import ServiceAccount, Simulator, Workspace
    from tests.drivers.google.simulator.conftest import Clock
    from tests.drivers.google.simulator.plain_client import PlainClient

DIRECTORY = "https://www.googleapis.com/auth/admin.directory.resource.calendar.readonly"

LONG_AGO = 946_684_800  # 2000
FAR_AHEAD = 4_102_444_800  # 2100


def refusal(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.json["error"], answer.json["error_description"]


async def test_a_good_assertion_gets_a_token(client: PlainClient) -> None:
    answer = await client.sign_in()
    assert answer.status == 200
    assert answer.json["access_token"].startswith("ya29.c.")
    assert (answer.json["expires_in"], answer.json["token_type"]) == (3599, "Bearer")


async def test_the_audience_may_be_this_server_too(client: PlainClient, simulator: Simulator) -> None:
    assert (await client.sign_in(aud=simulator.token_url)).status == 200


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant", "audience"),
        ({"aud": None}, "invalid_grant", "audience"),
        ({"iss": "nobody@placed-rooms.iam.gserviceaccount.com"}, "invalid_grant", "account not found"),
        ({"kid": "0" * 40}, "invalid_grant", "Invalid JWT Signature"),
        ({"scope": "calendar.events.readonly"}, "invalid_scope", "Invalid OAuth scope"),
        ({"scope": None}, "invalid_scope", "Invalid OAuth scope"),
        ({"exp": None}, "invalid_grant", "short-lived token"),
        ({"iat": LONG_AGO, "exp": LONG_AGO + 3600}, "invalid_grant", "timeframe"),
        ({"iat": FAR_AHEAD, "exp": FAR_AHEAD + 3600}, "invalid_grant", "timeframe"),
        ({"exp": FAR_AHEAD}, "invalid_grant", "60 minutes"),
        ({"exp": LONG_AGO}, "invalid_grant", "timeframe"),
    ],
)
async def test_a_wrong_claim_is_refused(
    client: PlainClient, changes: dict[str, Any], error: str, text: str
) -> None:
    status, found, description = refusal(await client.sign_in(**changes))
    assert (status, found) == (400, error)
    assert text in description


async def test_a_key_of_somebody_else_is_refused(client: PlainClient) -> None:
    claims = jwt.decode(client.assertion(), options={"verify_signature": False})
    headers = {"kid": client.key["private_key_id"]}
    forged = jwt.encode(claims, make_private_key(), algorithm="RS256", headers=headers)
    answer = await client.ask_token(assertion=forged)
    assert refusal(answer) == (400, "invalid_grant", "Invalid JWT Signature.")


async def test_a_key_that_was_deleted_is_refused(client: PlainClient, account: ServiceAccount) -> None:
    account.keys.clear()
    assert refusal(await client.sign_in()) == (400, "invalid_grant", "Invalid JWT Signature.")


async def test_without_a_key_id_any_key_of_the_account_may_have_signed(client: PlainClient) -> None:
    assert (await client.sign_in(kid=None)).status == 200


async def test_a_deleted_account_gets_no_token(
    client: PlainClient, workspace: Workspace, account: ServiceAccount
) -> None:
    workspace.remove_account(account)
    assert refusal(await client.sign_in())[2] == "Invalid grant: account not found"
    assert (await client.events(BOARDROOM)).status == 401


@pytest.mark.parametrize("form", [{"assertion": "nonsense"}, {"assertion": ""}, {}])
async def test_what_is_no_assertion_is_refused(client: PlainClient, form: dict[str, str]) -> None:
    assert refusal(await client.ask_token(**form))[:2] == (400, "invalid_grant")


async def test_another_grant_type_is_refused(client: PlainClient) -> None:
    answer = await client.ask_token(assertion=client.assertion(), grant_type="client_credentials")
    assert refusal(answer)[:2] == (400, "unsupported_grant_type")


async def test_without_a_subject_any_scope_gets_a_token_that_reads_nothing(client: PlainClient) -> None:
    assert (await client.sign_in(scope=DIRECTORY)).status == 200
    answer = await client.events(BOARDROOM)
    assert (answer.status, answer.reason) == (403, "insufficientPermissions")
    assert answer.json["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


async def test_a_subject_needs_delegation(client: PlainClient) -> None:
    status, error, description = refusal(await client.sign_in(sub="ada@fabrikam.example"))
    assert (status, error) == (401, "unauthorized_client")
    assert description.startswith("Client is unauthorized to retrieve access tokens")


async def test_a_delegated_account_sees_what_the_user_sees(
    client: PlainClient, workspace: Workspace, account: ServiceAccount
) -> None:
    workspace.delegate(account, READONLY)
    assert (await client.sign_in(sub="ada@fabrikam.example")).status == 200
    assert (await client.events("ada@fabrikam.example")).json["accessRole"] == "owner"
    assert (await client.events("ben@fabrikam.example")).json["accessRole"] == "freeBusyReader"


async def test_each_scope_has_to_be_delegated(
    client: PlainClient, workspace: Workspace, account: ServiceAccount
) -> None:
    workspace.delegate(account, READONLY)
    answer = await client.sign_in(sub="ada@fabrikam.example", scope=f"{READONLY} {DIRECTORY}")
    assert refusal(answer)[:2] == (401, "unauthorized_client")


@pytest.mark.parametrize("subject", ["nobody@fabrikam.example", "ada@elsewhere.example"])
async def test_a_subject_has_to_exist(
    client: PlainClient, workspace: Workspace, account: ServiceAccount, subject: str
) -> None:
    workspace.delegate(account, READONLY)
    answer = await client.sign_in(sub=subject)
    assert refusal(answer) == (400, "invalid_grant", "Invalid email or User ID")


async def test_a_token_expires(client: PlainClient, clock: Clock) -> None:
    clock.advance(seconds=3598)
    assert (await client.events(BOARDROOM)).status == 200
    clock.advance(seconds=2)
    answer = await client.events(BOARDROOM)
    assert (answer.status, answer.reason) == (401, "authError")


async def test_a_withdrawn_token_is_refused(client: PlainClient, workspace: Workspace) -> None:
    workspace.tokens.withdraw(client.account.email)
    assert (await client.events(BOARDROOM)).status == 401


async def test_a_clock_that_is_ahead_shows_in_the_answer_and_refuses_assertions(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.clock_ahead = timedelta(hours=2)
    answer = await client.sign_in()
    assert "short-lived token" in refusal(answer)[2]
    assert answer.headers["Date"] == "Wed, 02 Dec 2026 09:30:00 GMT"


async def test_token_info_has_scope_and_expiry(client: PlainClient, account: ServiceAccount) -> None:
    answer = await client.get(f"/tokeninfo?access_token={client.token}")
    assert answer.json["scope"] == READONLY
    assert answer.json["aud"] == account.client_id
    assert answer.json["expires_in"] == "3599"
    assert (await client.get("/tokeninfo?access_token=ya29.none")).json["error"] == "invalid_token"


async def test_the_machines_clock_is_not_asked(client: PlainClient, workspace: Workspace) -> None:
    workspace.token_clock = lambda: datetime(2030, 1, 1, tzinfo=UTC)
    assert (await client.sign_in()).status == 400
    begin = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    assert (await client.sign_in(iat=begin, exp=begin + 3600)).status == 200


def test_an_account_has_ten_keys_at_most(workspace: Workspace, account: ServiceAccount) -> None:
    key = make_private_key()
    for _ in range(10):
        workspace.add_key(account, token_uri="https://localhost/token", private_key=key)
    with pytest.raises(ValueError, match="10 keys"):
        workspace.add_key(account, token_uri="https://localhost/token", private_key=key)
