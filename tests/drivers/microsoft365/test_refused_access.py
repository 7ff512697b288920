"""A refusal of the services is reported with the right remedy, tried again seldom, and recovered from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.domain.connection_health import ConnectionState
from placed.driver import NotPermitted, Refused, Unavailable
from placed_microsoft365.auth.aadsts_codes import token_error
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import BOARDROOM, LIBRARY, DriverSetup
from tests.drivers.microsoft365.poller_with_simulator import Polled, apart

if TYPE_CHECKING:
    from datetime import datetime

    from placed.driver import DriverError


SELDOM = 300.0  # seconds: so far apart are two tries of what only a person can change


# Of every code that Microsoft documents for a sign-in like ours: who heals it, and words of the remedy.
PERMANENT = {
    7000215: "secret's value, not its ID",
    7000222: "the client secret has expired",
    700016: "placed setup",
    700027: "upload it there",
    50012: "clock",
    50013: "clock",
    700030: "subject is not authorised",
    7000218: "set certificate or client_secret_file",
    700025: "public client",
    7000112: "enable it",
    70001: "administrator",
    70011: "Graph host",
    28002: "Graph host",
    700022: "Graph host",
    700023: "Graph host",
    500011: "cloud",
    650056: "API permissions",
    650057: "API permissions",
    90002: "no such tenant",
    90038: "set cloud",
    900382: "set cloud",
    900432: "set cloud",
    50059: "set tenant",
    50128: "set tenant",
    50194: "set tenant",
    9001023: "tenant",
}
ANOTHER_PERSON = {
    65001: "placed consent",
    65004: "declined",
    53003: "Conditional Access",
    530032: "Conditional Access",
}
TRANSIENT = (90033, 90006, 90012, 90024, 50033, 90055, 50196)
GRAPH_PERMANENT = [
    (400, "ErrorInvalidRequest", "malformed", "update placed"),
    (400, "ErrorInvalidUrlQuery", "malformed", "update placed"),
    (400, "ErrorInvalidParameter", "malformed", "update placed"),
    (400, "BadRequest", "malformed", "update placed"),
    (400, "Request_BadRequest", "malformed", "update placed"),
    (400, "RequestBroker--ParseUri", "malformed", "update placed"),
    (400, "ErrorTimeIntervalTooBig", "malformed", "polling.days_ahead"),
    (400, "TimeZoneNotSupportedException", "malformed", "time_zone"),
    (403, "Authorization_RequestDenied", "forbidden", "placed consent"),
    (403, "accessDenied", "forbidden", "fence's group"),
    (403, "ExtensionError", "forbidden", "on premises"),
    (403, "extensionError", "forbidden", "on premises"),
    (403, "insufficient_claims", "forbidden", "Conditional Access"),
    (404, "ErrorInvalidUser", "not_found", "user principal name"),
    (404, "MailboxNotEnabledForRESTAPI", "not_found", "not in the cloud"),
    (404, "ResourceNotFound", "not_found", "check the address"),
    (404, "Request_ResourceNotFound", "not_found", "check the address"),
    (405, "Request_BadRequest", "malformed", "update placed"),
]
GRAPH_SLOW = [  # another person may be about to change it, so it is asked for more and more seldom
    (401, "UnknownError", "forbidden", "placed consent"),
    (403, "ErrorAccessDenied", "forbidden", "fence's group"),
    (404, "ErrorItemNotFound", "not_found", "check the address"),
    (410, "SyncStateNotFound", "not_found", "check the address"),
    (410, "resyncRequired", "not_found", "check the address"),
]
GRAPH_TRANSIENT = [
    (424, "UnknownError", "unavailable", ""),
    (429, "TooManyRequests", "throttled", ""),
    (429, "ApplicationThrottled", "throttled", ""),
    (429, "activityLimitReached", "throttled", ""),
    (500, "ErrorInternalServerTransientError", "unavailable", ""),
    (500, "ErrorInternalServerError", "unavailable", ""),
    (503, "ErrorServerBusy", "unavailable", ""),
    (503, "ErrorMailboxStoreUnavailable", "unavailable", ""),
    (503, "ErrorMailboxMoveInProgress", "unavailable", ""),
    (503, "serviceNotAvailable", "unavailable", ""),
    (503, "MailboxInfoStale", "unavailable", "room_group"),
    (502, "UnknownError", "unavailable", ""),
    (504, "UnknownError", "unavailable", ""),
]


def sign_ins(driver_setup: DriverSetup) -> list[datetime]:
    return [r.time for r in driver_setup.simulator.requests if r.path.endswith("/token")]


def readings(driver_setup: DriverSetup, address: str) -> list[datetime]:
    """When a room was asked for, alone or in a batch."""
    part = f"/users/{address}/"
    return [
        record.time
        for record in driver_setup.simulator.requests
        for path in (record.path, *(item.path for item in record.items))
        if part in path
    ]


# --- sign-in ---


@pytest.mark.parametrize("code", PERMANENT | ANOTHER_PERSON)
async def test_a_sign_in_that_a_person_has_to_heal_is_tried_every_five_minutes_with_its_remedy(
    driver_setup: DriverSetup, code: int
) -> None:
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=5)
    assert polled.state() is ConnectionState.OK
    driver_setup.tenant.faults.login_error(code)
    driver_setup.tenant.expire_tokens(driver_setup.app)
    driver_setup.simulator.clear_requests()
    await polled.go_on(minutes=21)
    tries = sign_ins(driver_setup)
    assert len(tries) in (4, 5)
    assert min(apart(tries)) >= SELDOM
    health = polled.poller.health
    assert health.problem is not None
    assert health.problem.text == f"sign-in refused: AADSTS{code}"
    assert (PERMANENT | ANOTHER_PERSON)[code] in str(health.problem)
    refused = code in PERMANENT
    assert health.state is (ConnectionState.REFUSED if refused else ConnectionState.FAILING)
    driver_setup.tenant.faults.clear()
    await polled.go_on(minutes=6)
    assert polled.state() is ConnectionState.OK


@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_sign_in_that_time_heals_is_waited_for_without_haste(
    driver_setup: DriverSetup, code: int
) -> None:
    polled = Polled(driver_setup, driver_setup.open())
    driver_setup.tenant.faults.login_error(code)
    await polled.go_on(minutes=16)
    assert 4 <= len(sign_ins(driver_setup)) <= 35  # at most two a minute
    assert polled.state() is ConnectionState.FAILING
    assert f"sign-in failed: AADSTS{code}" in str(polled.poller.health.problem)
    driver_setup.tenant.faults.clear()
    await polled.go_on(minutes=6)
    assert polled.state() is ConnectionState.OK


def test_every_code_is_assigned_to_who_can_fix_it() -> None:
    kinds: dict[type[DriverError], set[int]] = {Refused: set(), NotPermitted: set(), Unavailable: set()}
    for code in (*PERMANENT, *ANOTHER_PERSON, *TRANSIENT):
        kinds[type(token_error([code], "invalid_request", 400))].add(code)
    assert kinds[Refused] == set(PERMANENT)
    assert kinds[NotPermitted] == set(ANOTHER_PERSON)
    assert kinds[Unavailable] == set(TRANSIENT)


# --- Graph ---


@pytest.mark.parametrize(("status", "code", "reason", "remedy"), GRAPH_PERMANENT)
async def test_a_room_that_needs_the_operator_is_read_every_five_minutes(
    driver_setup: DriverSetup, status: int, code: str, reason: str, remedy: str
) -> None:
    driver_setup.tenant.faults.status(status, code=code, room=BOARDROOM)
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=21)
    tries = readings(driver_setup, BOARDROOM)
    assert len(tries) in (4, 5)
    assert min(apart(tries)) >= SELDOM
    assert len(readings(driver_setup, LIBRARY)) > 33
    failure = (polled.poller.health.failing or {})["boardroom"]
    assert (failure.reason, failure.problem.text) == (reason, f"{status} {code}")
    assert remedy in failure.problem.remedy
    driver_setup.tenant.faults.clear()
    await polled.go_on(minutes=6)
    assert not polled.poller.health.failing


@pytest.mark.parametrize(("status", "code", "reason", "remedy"), GRAPH_SLOW)
async def test_a_refused_room_is_read_less_and_less_often(
    driver_setup: DriverSetup, status: int, code: str, reason: str, remedy: str
) -> None:
    driver_setup.tenant.faults.status(status, code=code, room=BOARDROOM)
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=61)
    tries = sorted(set(readings(driver_setup, BOARDROOM)))
    assert len(tries) <= 16
    gaps = apart(tries)
    assert gaps == sorted(gaps)
    assert gaps[-1] == SELDOM
    failure = (polled.poller.health.failing or {})["boardroom"]
    assert (failure.reason, failure.problem.text) == (reason, f"{status} {code}")
    assert remedy in failure.problem.remedy
    driver_setup.tenant.faults.clear()
    await polled.go_on(minutes=6)
    assert not polled.poller.health.failing


@pytest.mark.parametrize(("status", "code", "reason", "remedy"), GRAPH_TRANSIENT)
async def test_a_room_with_a_temporary_error_is_read_again_soon(
    driver_setup: DriverSetup, status: int, code: str, reason: str, remedy: str
) -> None:
    driver_setup.tenant.faults.status(status, code=code, room=BOARDROOM)
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=10)
    assert len(readings(driver_setup, BOARDROOM)) >= 8
    failure = (polled.poller.health.failing or {})["boardroom"]
    assert (failure.reason, failure.problem.text) == (reason, f"{status} {code}")
    assert remedy in failure.problem.remedy
    driver_setup.tenant.faults.clear()
    await polled.go_on(minutes=1.5)
    assert not polled.poller.health.failing


async def test_an_expired_token_is_renewed_once_and_nothing_is_lost(driver_setup: DriverSetup) -> None:
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=2)
    driver_setup.tenant.expire_tokens(driver_setup.app)
    await polled.go_on(minutes=2)
    assert len(sign_ins(driver_setup)) == 2
    assert polled.state() is ConnectionState.OK
    assert not polled.poller.health.failing


async def test_a_token_that_is_refused_for_good_is_not_renewed_in_a_loop(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.token_refused(times=None)
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=30)
    assert len(sign_ins(driver_setup)) <= 16
    assert polled.state() is ConnectionState.FAILING


@pytest.mark.parametrize("where", [Where.GROUPS, Where.BATCH])
async def test_a_refused_connection_is_retried_every_five_minutes(
    driver_setup: DriverSetup, where: Where
) -> None:
    driver_setup.tenant.faults.status(403, code="Authorization_RequestDenied", where=where)
    polled = Polled(driver_setup, driver_setup.open(rooms=None, room_group="placed-rooms@contoso.example"))
    await polled.go_on(minutes=61)
    part = "/groups" if where is Where.GROUPS else "/$batch"
    tries = [r.time for r in driver_setup.simulator.requests if part in r.path and r.status == 403]
    assert len(tries) in (12, 13)
    assert min(apart(tries)) >= SELDOM
    assert "placed consent" in str(polled.poller.health.problem)
    driver_setup.tenant.faults.clear()
    await polled.go_on(minutes=6)
    assert polled.state() is ConnectionState.OK
