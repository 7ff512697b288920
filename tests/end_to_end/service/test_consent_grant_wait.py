"""Waiting for a grant: how often the services are asked, and when it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.consent.grant_wait import until_effective
from placed.driver import OffersConsent, Surroundings, find_drivers
from placed.settings.loader import load
from placed_microsoft365.simulator import fence_toml

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.consent.grant_wait import Look
    from placed.driver import ConsentFlow
    from tests.support.adjustable_clock import LeapingClock
    from tests.support.deployment import Deployment

MINUTE = 60.0
HOUR = 60 * MINUTE


class Passing:
    """A clock on which the time that somebody wants to sleep passes at once."""

    def __init__(self, clock: LeapingClock) -> None:
        self._clock = clock
        self.meanwhile: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self._clock.now()

    def steady(self) -> float:
        return self._clock.steady()

    async def sleep(self, seconds: float) -> None:
        self.meanwhile()
        self._clock.leap(seconds)


class Waiting:
    """Waits, and keeps what was seen."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.clock = Passing(deployment.clock)
        self.looks: list[Look] = []
        self.flow = opened(deployment)

    async def end(self, *, at_most: float | None = None) -> Look:
        usual = self.flow.propagation
        return await until_effective(
            self.flow.probe,
            self.clock,
            every=usual.every,
            at_most=usual.at_most if at_most is None else at_most,
            looked=self.looks.append,
        )

    @property
    def moments(self) -> list[int]:
        """When it was looked, in whole minutes."""
        return [round(look.elapsed / MINUTE) for look in self.looks]


def opened(deployment: Deployment) -> ConsentFlow:
    settings = load(deployment.configure(mqtt=None)).settings
    kind = find_drivers()["microsoft365"]
    assert isinstance(kind, OffersConsent)
    surroundings = Surroundings(deployment.clock.now, 8, details=False, version="1.2.3")
    return kind.consent(settings.connections[0], surroundings)


async def test_what_is_in_effect_is_seen_at_the_first_look(deployment: Deployment) -> None:
    deployment.connect()
    waiting = Waiting(deployment)
    last = await waiting.end()
    assert last.probe.effective
    assert last.rest is None
    assert waiting.looks == [last]
    assert (deployment.logins, len(deployment.batches)) == (1, 1)


async def test_consent_is_looked_for_every_two_minutes_and_no_calendar_until_it_is_there(
    deployment: Deployment,
) -> None:
    app = deployment.connect(roles=[])
    deployment.tenant.grant(app, "Calendars.Read", delay=timedelta(minutes=5))
    waiting = Waiting(deployment)
    assert (await waiting.end()).probe.effective
    assert waiting.moments == [0, 2, 4, 6]
    assert (deployment.logins, len(deployment.batches)) == (4, 1)


async def test_an_access_policy_may_take_more_than_an_hour(deployment: Deployment) -> None:
    app = deployment.connect()
    group = deployment.tenant.add_group("placed-rooms")
    deployment.tenant.restrict(app, group)
    deployment.tenant.add_member(group, "boardroom", delay=timedelta(minutes=75))
    waiting = Waiting(deployment)
    assert (await waiting.end()).probe.effective
    assert waiting.moments[-1] == 76
    assert len(deployment.batches) == len(waiting.looks) == 39


async def test_under_rbac_exchange_is_checked_at_most_every_half_hour(deployment: Deployment) -> None:
    """An application that keeps asking keeps the old answer alive."""
    app = deployment.connect(roles=[], more=fence_toml("rbac", []))
    deployment.tenant.assign_rbac(
        app, deployment.tenant.add_group("placed-rooms", members=["boardroom"]), delay=timedelta(hours=2)
    )
    waiting = Waiting(deployment)
    assert (await waiting.end()).probe.effective
    assert waiting.moments == [0, 31, 62, 93, 124]
    assert (deployment.logins, len(deployment.batches)) == (5, 5)


async def test_what_does_not_come_is_given_up_after_a_last_look(deployment: Deployment) -> None:
    deployment.connect(roles=[])
    waiting = Waiting(deployment)
    last = await waiting.end(at_most=3 * MINUTE)
    assert (last.probe.effective, last.rest) == (False, None)
    assert waiting.moments == [0, 2, 3]


async def test_the_usual_time_ends_some_day(deployment: Deployment) -> None:
    deployment.connect(roles=[], more=fence_toml("rbac", []))
    waiting = Waiting(deployment)
    assert not (await waiting.end()).probe.effective
    assert waiting.looks[-1].elapsed == pytest.approx(4 * HOUR, abs=30)
    assert len(waiting.looks) < 10


async def test_an_error_that_needs_the_operator_ends_the_wait_at_once(deployment: Deployment) -> None:
    app = deployment.connect()
    deployment.tenant.expire_secrets(app)
    waiting = Waiting(deployment)
    last = await waiting.end()
    assert last.probe.problem.lasting
    assert last.probe.problem.text == "sign-in refused: AADSTS7000222"
    assert "expired" in last.probe.problem.remedy
    assert (deployment.logins, waiting.moments) == (1, [0])


async def test_an_outage_is_waited_out(deployment: Deployment) -> None:
    deployment.connect()
    fault = deployment.tenant.faults.login_error(90033)
    waiting = Waiting(deployment)
    sleeps = 0

    def restore() -> None:
        nonlocal sleeps
        sleeps += 1
        if sleeps == 3:
            deployment.tenant.faults.remove(fault)

    waiting.clock.meanwhile = restore
    assert (await waiting.end()).probe.effective
    assert waiting.moments == [0, 1, 2, 3]
    assert waiting.looks[0].probe.problem.text == "sign-in failed: AADSTS90033"
