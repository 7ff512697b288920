"""Consent that is missing, declined or revoked is noticed, and so is a grant."""

from __future__ import annotations

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason
from placed.driver import Consent
from tests.drivers.microsoft365.driver_setup import BOARDROOM, LIBRARY, DriverSetup
from tests.drivers.microsoft365.poller_with_simulator import Polled, apart
from tests.drivers.microsoft365.test_refused_access import SELDOM, readings, sign_ins


async def test_missing_consent_is_checked_every_five_minutes_and_a_grant_noticed(
    driver_setup: DriverSetup,
) -> None:
    """The token lists what was granted when it was issued, so another one is fetched."""
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=61)
    assert min(apart(readings(driver_setup, BOARDROOM))) >= SELDOM
    assert len(sign_ins(driver_setup)) in (12, 13)
    health = polled.poller.health
    assert (health.state, health.consent) == (ConnectionState.FAILING, Consent.MISSING)
    assert "placed consent" in str(health.problem)
    driver_setup.tenant.grant(driver_setup.app, "Calendars.Read")
    await polled.go_on(minutes=5.1)
    assert polled.state() is ConnectionState.OK
    assert polled.consent() is Consent.GRANTED


async def test_rooms_outside_the_fence_are_no_missing_consent(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.restrict(driver_setup.app, driver_setup.tenant.add_group("others"))
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=10)
    health = polled.poller.health
    assert (health.state, health.consent) == (ConnectionState.FAILING, Consent.GRANTED)
    assert health.problem is not None
    assert health.problem.text == "every room is refused, though the administrator has consented"
    assert "fence's group" in str(health.problem)
    assert len(sign_ins(driver_setup)) == 1


async def test_consent_that_is_taken_back_is_revoked_and_that_of_rbac_too(driver_setup: DriverSetup) -> None:
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=2)
    assert polled.consent() is Consent.GRANTED
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    await polled.go_on(minutes=2)
    assert polled.consent() is Consent.REVOKED
    driver_setup.tenant.assign_rbac(driver_setup.app, "placed-rooms")
    await polled.go_on(minutes=6)
    assert polled.consent() is Consent.GRANTED


async def test_under_rbac_consent_follows_from_readable_rooms_not_from_the_token(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    polled = Polled(driver_setup, driver_setup.open(fence={"kind": "rbac"}))
    await polled.go_on(minutes=2)
    assert polled.consent() is Consent.MISSING
    driver_setup.tenant.assign_rbac(driver_setup.app, "placed-rooms")
    await polled.go_on(minutes=6)
    assert polled.consent() is Consent.GRANTED
    driver_setup.tenant.remove_rbac(driver_setup.app)
    await polled.go_on(minutes=6)
    assert polled.consent() is Consent.REVOKED


async def test_a_declined_consent_is_reported_as_declined(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.login_error(65004)
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=1)
    assert polled.consent() is Consent.DECLINED


async def test_a_room_that_is_refused_while_others_are_readable_is_outside_the_fence(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.restrict(driver_setup.app, driver_setup.tenant.add_group("some", members=[LIBRARY]))
    polled = Polled(driver_setup, driver_setup.open())
    await polled.go_on(minutes=2)
    health = polled.poller.health
    assert (health.state, health.consent) == (ConnectionState.OK, Consent.GRANTED)
    boardroom, library = health.rooms_document(polled.board.rooms)
    assert (boardroom["access"], boardroom["reason"]) == ("refused", Reason.FORBIDDEN)
    assert "not in the fence's group, or not yet" in (boardroom["remedy"] or "")
    assert (library["access"], library["remedy"]) == ("readable", None)
