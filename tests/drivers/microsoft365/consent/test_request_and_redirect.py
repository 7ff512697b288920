"""The consent page's address, what its answer means, and what is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from placed.domain.problem import Problem
from placed.driver import Consent, ConsentAnswer, DriverError, Refused, SettingsError, Surroundings
from placed_microsoft365.consent import Microsoft365Consent
from placed_microsoft365.settings import Microsoft365Settings
from tests.drivers.microsoft365.driver_setup import ADDRESSES

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_setup import DriverSetup

RBAC = {"kind": "rbac"}


def around(driver_setup: DriverSetup) -> Surroundings:
    return Surroundings(driver_setup.clock, 8, details=False, version="1.2.3")


def settings(**changes: Any) -> Microsoft365Settings:
    keys: dict[str, Any] = {
        "name": "contoso",
        "tenant": "contoso.example",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "client_secret_file": "secret",
        "rooms": ADDRESSES,
    }
    keys |= changes
    return Microsoft365Settings(**{key: value for key, value in keys.items() if value is not None})


def flow(**changes: Any) -> Microsoft365Consent:
    moment = datetime(2026, 10, 6, tzinfo=UTC)
    return Microsoft365Consent(
        settings(**changes), Surroundings(lambda: moment, 8, details=False, version="1.2.3")
    )


async def judged(driver_setup: DriverSetup, answer: dict[str, str], **changes: Any) -> ConsentAnswer:
    return await Microsoft365Consent(driver_setup.settings(**changes), around(driver_setup)).judge(answer)


def granted(driver_setup: DriverSetup, **changes: str) -> dict[str, str]:
    return {"admin_consent": "True", "tenant": driver_setup.tenant.tenant_id, "state": "s", **changes}


# --- the link -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cloud", "login", "graph"),
    [
        ("worldwide", "login.microsoftonline.com", "https://graph.microsoft.com"),
        ("usgov", "login.microsoftonline.us", "https://graph.microsoft.us"),
        ("usgov-dod", "login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        ("china", "login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_the_link_leads_to_the_clouds_own_page(cloud: str, login: str, graph: str) -> None:
    url = urlsplit(flow(cloud=cloud).consent_url("http://localhost:8621", "a b&c"))
    assert (url.scheme, url.netloc, url.path) == ("https", login, "/contoso.example/v2.0/adminconsent")
    assert parse_qs(url.query, strict_parsing=True) == {
        "client_id": ["11111111-2222-3333-4444-555555555555"],
        "scope": [f"{graph}/.default"],
        "redirect_uri": ["http://localhost:8621"],
        "state": ["a b&c"],
    }


# --- what is asked for --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["Calendars.Read"]),
        ({"rooms": (), "room_group": "g@contoso.example"}, ["Calendars.Read", "GroupMember.Read.All"]),
        ({"rooms": (), "room_list": "*"}, ["Calendars.Read", "Place.Read.All"]),
        ({"fence": RBAC}, []),
        ({"rooms": (), "room_group": "g@contoso.example", "fence": RBAC}, ["GroupMember.Read.All"]),
    ],
)
def test_only_permissions_that_the_connection_needs_are_requested(
    changes: dict[str, Any], names: list[str]
) -> None:
    asked = flow(**changes).permissions
    assert [permission.name for permission in asked] == names
    assert all(permission.can and permission.cannot for permission in asked)


def test_under_rbac_the_calendars_are_granted_in_exchange_and_must_not_be_in_entra() -> None:
    reported = flow(fence=RBAC).granted_elsewhere
    assert "Exchange administrator" in reported
    assert "must not be consented to in Entra" in reported
    assert flow().granted_elsewhere == ""


def test_under_rbac_it_is_looked_so_seldom_that_the_application_counts_as_idle() -> None:
    assert flow(fence=RBAC).propagation.every > 30 * 60
    assert flow().propagation.every == 120


# --- the answer ---------------------------------------------------------------------------------------------


async def test_a_grant_that_the_token_lists_is_in_effect(driver_setup: DriverSetup) -> None:
    answer = await judged(driver_setup, granted(driver_setup))
    assert (answer.consent, answer.effective) == (Consent.GRANTED, True)
    assert driver_setup.sign_ins == 1


async def test_the_word_of_the_redirect_is_no_proof(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    answer = await judged(driver_setup, granted(driver_setup))
    assert (answer.consent, answer.effective) == (Consent.GRANTED, False)
    assert "the token does not list Calendars.Read yet" in answer.problem.text
    assert "API permissions" in answer.problem.remedy


@pytest.mark.parametrize("by_guid", [True, False])
async def test_consent_in_another_tenant_does_not_count(driver_setup: DriverSetup, by_guid: bool) -> None:  # noqa: FBT001
    other = "99999999-aaaa-bbbb-cccc-dddddddddddd"
    tenant = driver_setup.tenant.tenant_id.upper() if by_guid else driver_setup.tenant.domain
    answer = await judged(driver_setup, granted(driver_setup, tenant=other), tenant=tenant)
    assert answer.consent is Consent.UNKNOWN
    assert f"in another tenant ({other})" in answer.problem.text
    assert not driver_setup.sign_ins


async def test_the_configured_tenant_may_be_a_guid(driver_setup: DriverSetup) -> None:
    answer = await judged(driver_setup, granted(driver_setup), tenant=driver_setup.tenant.tenant_id.upper())
    assert answer.effective


@pytest.mark.parametrize("spoilt", ["", "<script>", "contoso.example"])
async def test_a_tenant_that_is_none_is_not_repeated(driver_setup: DriverSetup, spoilt: str) -> None:
    answer = await judged(driver_setup, granted(driver_setup, tenant=spoilt))
    assert answer.consent is Consent.UNKNOWN
    assert answer.problem.text == "consent was given in another tenant, and so does not count"


@pytest.mark.parametrize(
    "answer",
    [
        {
            "admin_consent": "True",
            "error": "consent_required",
            "error_description": "AADSTS65004: ada@x declined",
        },
        {"error": "permission_denied", "error_description": "The admin canceled the request"},
        {"error": "access_denied"},
    ],
)
async def test_a_decline_is_reported_without_the_text_of_the_page(
    driver_setup: DriverSetup, answer: dict[str, str]
) -> None:
    found = await judged(driver_setup, answer)
    assert found.consent is Consent.DECLINED
    assert not {"ada", "canceled"} & set(found.problem.text.replace("@", " ").split())
    assert not driver_setup.simulator.requests


@pytest.mark.parametrize(
    ("answer", "output", "remedy"),
    [
        ({"error": "invalid_client", "error_description": "AADSTS650056: no"}, "AADSTS650056", "permission"),
        (
            {"error": "server_error", "error_description": "AADSTS90033: again"},
            "AADSTS90033",
            "open the link",
        ),
        ({"error": "<script>alert(1)</script>"}, "no reason", "open the link"),
    ],
)
async def test_an_error_of_the_page_is_no_decline(
    driver_setup: DriverSetup, answer: dict[str, str], output: str, remedy: str
) -> None:
    found = await judged(driver_setup, answer)
    assert found.consent is Consent.UNKNOWN
    assert output in found.problem.text
    assert remedy in found.problem.remedy
    assert "script" not in found.problem.text


async def test_what_is_no_answer_of_a_consent_page_means_nothing(driver_setup: DriverSetup) -> None:
    found = await judged(driver_setup, {"state": "s", "code": "1"})
    assert found.consent is Consent.UNKNOWN
    assert not driver_setup.simulator.requests


async def test_a_login_host_that_is_down_is_no_reason_to_forget_the_answer(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.login_error(90033)
    answer = await judged(driver_setup, granted(driver_setup))
    assert (answer.consent, answer.effective) == (Consent.GRANTED, False)
    assert "could not be checked" in answer.problem.text


async def test_a_refused_credential_is_reported(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.expire_secrets(driver_setup.app)
    with pytest.raises(Refused, match="AADSTS7000222"):
        await judged(driver_setup, granted(driver_setup))


async def test_an_unknown_tenant_is_reported(driver_setup: DriverSetup) -> None:
    with pytest.raises(DriverError, match="AADSTS90002"):
        await judged(driver_setup, granted(driver_setup), tenant="fabrikam.example")


async def test_a_missing_file_is_reported_with_its_key(driver_setup: DriverSetup) -> None:
    gone = driver_setup.folder / "gone"
    with pytest.raises(SettingsError) as problem:
        await judged(driver_setup, granted(driver_setup), client_secret_file=gone)
    assert problem.value.problem.key == "client_secret_file"


# --- taking it back -----------------------------------------------------------------------------------------


def test_the_way_back_is_filled_in() -> None:
    steps = flow().revocation()
    client = settings().client_id
    assert sum(client in step for step in steps) >= 3
    assert any("-TenantId contoso.example" in step for step in steps)
    assert any("Remove-ApplicationAccessPolicy" in step for step in steps)
    assert any("placed setup" in step for step in steps)


def test_the_registration_of_actions_has_a_way_back_of_its_own() -> None:
    actions = {"client_id": "99999999-2222-3333-4444-555555555555", "client_secret_file": "secret"}
    named = [step for step in flow(actions=actions).revocation() if actions["client_id"] in step]
    assert len(named) == 1
    assert "placed setup contoso --actions" in named[0]
    assert "--actions" not in "".join(flow().revocation())


def test_under_rbac_no_line_removes_what_it_merely_lists() -> None:
    steps = "\n".join(flow(fence=RBAC).revocation())
    assert "Remove-ManagementRoleAssignment NAME" in steps
    assert "| Remove-ManagementRoleAssignment" not in steps
    assert "Revoke permission" not in steps


def test_an_answer_is_a_value() -> None:
    answer = ConsentAnswer(Consent.GRANTED, Problem("", "declined"))
    with pytest.raises(AttributeError):
        answer.problem = Problem("", "other")  # type: ignore[misc]
