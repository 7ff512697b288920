"""Signing in: with a key, without one, and with a wrong clock."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from placed.driver import DriverError, NotPermitted, Refused, Unavailable
from placed.driver.network.http_session import HttpResponse
from placed_google.auth.jwt_assertion import jwt_assertion
from placed_google.auth.key_file import load_key
from placed_google.auth.key_sign_in import token_in
from placed_google.auth.scopes import EVENTS
from placed_google.simulator import Where
from tests.drivers.google.driver_setup import ADA, BOARDROOM, KEY, at, words
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from placed_google import Google
    from tests.drivers.google.driver_setup import DriverSetup


SUBJECT = "subject-token"


def sign_ins(driver_setup: DriverSetup) -> int:
    return len(driver_setup.asked("/token"))


def claims(driver_setup: DriverSetup, subject: str | None = None) -> dict[str, Any]:
    key = load_key(driver_setup.key_file())
    text = jwt_assertion(key, EVENTS, "https://token.example", 1_000_000.9, subject)
    assert jwt.get_unverified_header(text) == {"alg": "RS256", "typ": "JWT", "kid": key.key_id}
    found: dict[str, Any] = jwt.decode(
        text, KEY.public_key(), ["RS256"], audience="https://token.example", options={"verify_exp": False}
    )
    return found


async def test_an_assertion_names_account_scope_and_an_hour_and_nobody_else(
    driver_setup: DriverSetup,
) -> None:
    assert claims(driver_setup) == {
        "iss": driver_setup.account.email,
        "scope": EVENTS,
        "aud": "https://token.example",
        "iat": 1_000_000,
        "exp": 1_003_600,
    }
    assert claims(driver_setup, ADA)["sub"] == ADA


async def test_one_token_serves_until_shortly_before_its_end(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    for _ in range(3):
        await driver_setup.read(driver)
    assert sign_ins(driver_setup) == 1
    driver_setup.clock.advance(minutes=56)
    await driver_setup.read(driver)
    assert sign_ins(driver_setup) == 2


async def test_the_directory_has_a_token_of_its_own(driver_setup: DriverSetup) -> None:
    driver_setup.account.reads_directory = True
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id)
    await driver.find_rooms()
    assert sign_ins(driver_setup) == 1
    await driver_setup.read(driver)
    assert sign_ins(driver_setup) == 2


async def test_a_401_drops_the_token_once(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.faults.bad_credentials(times=1)
    assert words(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
    assert sign_ins(driver_setup) == 2
    driver_setup.workspace.faults.bad_credentials(times=None)
    for _ in range(3):
        with pytest.raises(NotPermitted, match="401"):
            await driver_setup.read(driver)
    assert sign_ins(driver_setup) == 2


@pytest.mark.parametrize("minutes", [-90, -6, 6, 90])
async def test_a_wrong_clock_of_this_machine_is_corrected_by_the_answer(
    driver_setup: DriverSetup, minutes: int
) -> None:
    """The token host shows its time when it refuses the assertion."""
    machine = driver_setup.clock
    driver_setup.workspace.now = driver_setup.workspace.token_clock = lambda: (
        machine() + timedelta(minutes=minutes)
    )
    driver_setup.workspace.tokens._now = driver_setup.workspace.now
    assert words(await driver_setup.read(driver_setup.open())) == ["read", "read"]


async def test_a_clock_that_no_answer_corrects_is_reported(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.token_clock = lambda: driver_setup.clock() + timedelta(hours=3)
    with pytest.raises(Refused, match="short-lived token") as caught:
        await driver_setup.read(driver_setup.open())
    assert "clock" in caught.value.problem.remedy


async def test_a_deleted_key_is_refused(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    driver_setup.account.keys.clear()
    with pytest.raises(Refused, match="invalid_grant") as caught:
        await driver_setup.read(driver)
    assert "key" in caught.value.problem.remedy


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_token_host_that_is_busy_refuses_nobody(driver_setup: DriverSetup, status: int) -> None:
    driver_setup.workspace.faults.status(status, where=Where.TOKEN, retry_after="17")
    with pytest.raises(Unavailable) as caught:
        await driver_setup.read(driver_setup.open())
    assert caught.value.problem.retry_after == 17


async def test_a_page_in_place_of_a_token_is_none(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.html(status=200, where=Where.TOKEN)
    with pytest.raises(Unavailable, match="no token"):
        await driver_setup.read(driver_setup.open())


async def test_a_token_outlives_a_reload_with_the_same_key_only(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    same, other = driver_setup.open(), driver_setup.open(subject=ADA)
    same.take_over_sign_in(driver)
    other.take_over_sign_in(driver)
    await driver_setup.read(same)
    assert sign_ins(driver_setup) == 1
    with pytest.raises(NotPermitted):
        await driver_setup.read(other)


# --- without a key ---


def keyless(
    driver_setup: DriverSetup, subject_token: str = SUBJECT, source: dict[str, Any] | None = None
) -> Google:
    identity = driver_setup.workspace.add_workload_identity(driver_setup.account)
    identity.subject_tokens.add(SUBJECT)
    subject = driver_setup.folder / "subject"
    write_secret(subject, subject_token)
    path = driver_setup.folder / "external.json"
    document = json.loads(
        driver_setup.simulator.workload_identity_json(identity, driver_setup.account, subject)
    )
    if source is not None:
        document["credential_source"] |= source
    write_secret(path, json.dumps(document))
    return driver_setup.open(key_file=None, workload_identity=path)


async def test_another_identity_s_token_serves_in_place_of_a_key(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(BOARDROOM, at(7), at(9))
    driver = keyless(driver_setup)
    assert len(await driver_setup.meetings(driver)) == 1
    await driver_setup.read(driver)
    assert len(driver_setup.asked(":generateAccessToken")) == 1
    driver_setup.clock.advance(minutes=56)
    await driver_setup.read(driver)
    assert len(driver_setup.asked(":generateAccessToken")) == 2


async def test_a_subject_token_may_be_a_field_of_json(driver_setup: DriverSetup) -> None:
    source = {"format": {"type": "json", "subject_token_field_name": "id_token"}}
    driver = keyless(driver_setup, json.dumps({"id_token": "subject-token"}), source)
    assert words(await driver_setup.read(driver)) == ["read", "read"]


@pytest.mark.parametrize(
    ("token", "kind", "expected"),
    [
        ("another", Refused, "refuses the subject token: invalid_grant"),
        ("", Unavailable, "holds none"),
    ],
)
async def test_a_subject_token_that_does_not_serve(
    driver_setup: DriverSetup, token: str, kind: type[DriverError], expected: str
) -> None:
    with pytest.raises(kind, match=expected) as caught:
        await driver_setup.read(keyless(driver_setup, token))
    assert caught.value.problem.remedy


async def test_a_subject_token_that_is_gone_may_come_back(driver_setup: DriverSetup) -> None:
    driver = keyless(driver_setup)
    (driver_setup.folder / "subject").unlink()
    with pytest.raises(Unavailable, match="cannot be read"):
        await driver_setup.read(driver)


async def test_an_identity_without_the_account_is_not_permitted(driver_setup: DriverSetup) -> None:
    driver = keyless(driver_setup)
    for identity in driver_setup.workspace.workload_identities.values():
        identity.accounts.clear()
    with pytest.raises(NotPermitted, match="403") as caught:
        await driver_setup.read(driver)
    assert "Workload Identity User" in caught.value.problem.remedy


async def test_without_a_key_impersonation_cannot_be_tried(driver_setup: DriverSetup) -> None:
    fence = await driver_setup.open(fence={"canaries": (ADA,), "canaries_exist": True}).try_fence()
    assert fence.warnings == ()
    driver = keyless(driver_setup)
    driver._settings = driver._settings.model_copy(
        update={"fence": driver_setup.settings(fence={"canaries": (ADA,), "canaries_exist": True}).fence}
    )
    fence = await driver.try_fence()
    assert "could not be tried" in fence.warnings[0].text


# --- what is secret ---


async def test_no_secret_and_no_address_is_in_logs_or_errors(
    driver_setup: DriverSetup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    driver_setup.workspace.book(BOARDROOM, at(7), at(9), summary="Very Secret", organizer="Ada Example")
    driver = driver_setup.open(fence={"canaries": (ADA,)})
    spoken = []
    await driver_setup.read(driver)
    spoken.append(repr(await driver.try_fence()))
    tokens = {cache.latest or "none" for cache in driver._clients._tokens.values()} - {"none"}
    assert tokens
    faults = driver_setup.workspace.faults
    for fault in (
        partial(faults.html, status=500),
        faults.bad_event,
        partial(faults.wrong_types, "body_is_list"),
        partial(faults.bad_credentials, times=None),
        faults.drop,
    ):
        faults.clear()
        fault()
        driver_setup.clock.advance(minutes=2)
        try:
            spoken += [repr(getattr(answer, "problem", "")) for answer in await driver_setup.read(driver)]
        except DriverError as error:
            spoken.append(f"{error!r} {error.problem!r}")
    output = caplog.text + " ".join(spoken)
    for secret in (*tokens, "PRIVATE KEY", "Very Secret", "Ada Example", ADA, "eyJ"):
        assert secret not in output


@pytest.mark.parametrize("lifetime", ["1" + "0" * 400, "1e999", '"1e999"', '"NaN"', "-1", '"-inf"', "true"])
def test_any_lifetime_of_a_token_is_believed_within_limits_or_is_none(lifetime: str) -> None:
    body = f'{{"access_token":"ya29.a","expires_in":{lifetime}}}'.encode()
    try:
        _, seconds = token_in(HttpResponse(200, {}, body, None))
    except Unavailable:
        return
    assert 60.0 <= seconds <= 86_400.0
