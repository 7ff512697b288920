"""What the administrator grants and takes back, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from placed.driver import Consent, ConsentRequest
from placed_google.auth.scopes import EVENTS, RESOURCES
from placed_google.consent import GoogleConsent
from tests.drivers.google.driver_setup import ADA

if TYPE_CHECKING:
    from typing import Any

    from tests.drivers.google.driver_setup import DriverSetup


def consent(driver_setup: DriverSetup, **changes: Any) -> GoogleConsent:
    return GoogleConsent(driver_setup.settings(**changes), driver_setup.surroundings())


def test_it_names_whom_to_share_the_rooms_with(driver_setup: DriverSetup) -> None:
    text = consent(driver_setup).granted_elsewhere
    assert driver_setup.account.email in text
    assert "placed setup fabrikam" in text
    assert "client id" not in text
    assert "admin role" not in text
    assert "admin role" in consent(driver_setup, rooms=None, customer="C01abc").granted_elsewhere


def test_with_delegation_it_names_the_client_id_and_every_scope_but_not_the_user(
    driver_setup: DriverSetup,
) -> None:
    text = consent(driver_setup, subject=ADA, rooms=None, customer="my_customer").granted_elsewhere
    assert driver_setup.account.client_id in text
    assert EVENTS in text
    assert RESOURCES in text
    assert ADA not in text


def test_the_words_do_not_need_the_key(driver_setup: DriverSetup) -> None:
    settings = driver_setup.settings()
    driver_setup.key_file().unlink()
    flow = GoogleConsent(settings, driver_setup.surroundings())
    assert "with the service account" in flow.granted_elsewhere
    assert any("delete ADDRESS --project=PROJECT" in step for step in flow.revocation())


def test_revocation_takes_back_the_shares_first_and_names_account_and_project(
    driver_setup: DriverSetup,
) -> None:
    shares, delegation, deletion, last = consent(driver_setup).revocation()
    assert "unshareRooms" in shares
    assert driver_setup.account.email in shares
    assert driver_setup.account.client_id in delegation
    assert f"gcloud iam service-accounts delete {driver_setup.account.email}" in deletion
    assert f"--project={driver_setup.account.project.id}" in deletion
    assert "an hour" in last


def test_revocation_of_delegation_has_no_shares(driver_setup: DriverSetup) -> None:
    steps = consent(driver_setup, subject=ADA, rooms=None, customer="my_customer").revocation()
    assert "Domain-wide delegation" in steps[0]
    assert "Buildings and resources" in steps[1]
    assert ADA not in "".join(steps)


async def test_an_answer_of_a_page_counts_for_nothing(driver_setup: DriverSetup) -> None:
    answer = await consent(driver_setup).judge({"admin_consent": "True"})
    assert answer.consent is Consent.UNKNOWN
    assert not answer.effective


@pytest.mark.parametrize("subject", [None, ADA])
def test_a_letter_names_who_asks_and_what_for(subject: str | None, driver_setup: DriverSetup) -> None:
    flow = consent(driver_setup, subject=subject)
    moment = datetime(2026, 12, 2, tzinfo=UTC)
    url = flow.consent_url("http://localhost", "state")
    assert url.startswith("https://")
    letter = flow.letter(ConsentRequest("IT <it@x>", "panels & doors", moment, moment), url)
    assert "panels & doors" in letter.text
    assert url in letter.text
    assert "panels &amp; doors" in letter.html
    assert "<it@x>" not in letter.html
