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
    from tests.support.daemon_environment import Stage

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

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.clock = Passing(stage.clock)
        self.looks: list[Look] = []
        self.flow = opened(stage)

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


def opened(stage: Stage) -> ConsentFlow:
    settings = load(stage.configure(mqtt=None)).settings
    kind = find_drivers()["microsoft365"]
    assert isinstance(kind, OffersConsent)
    surroundings = Surroundings(stage.clock.now, 8, details=False, version="1.2.3")
    return kind.consent(settings.connections[0], surroundings)


async def test_what_is_in_effect_is_seen_at_the_first_look(stage: Stage) -> None:
    stage.connect()
    waiting = Waiting(stage)
    last = await waiting.end()
    assert last.probe.effective
    assert last.rest is None
    assert waiting.looks == [last]
    assert (stage.logins, len(stage.batches)) == (1, 1)


async def test_consent_is_looked_for_every_two_minutes_and_no_calendar_until_it_is_there(
    stage: Stage,
) -> None:
    app = stage.connect(roles=[])
    stage.tenant.grant(app, "Calendars.Read", delay=timedelta(minutes=5))
    waiting = Waiting(stage)
    assert (await waiting.end()).probe.effective
    assert waiting.moments == [0, 2, 4, 6]
    assert (stage.logins, len(stage.batches)) == (4, 1)


async def test_an_access_policy_may_take_more_than_an_hour(stage: Stage) -> None:
    app = stage.connect()
    group = stage.tenant.add_group("placed-rooms")
    stage.tenant.restrict(app, group)
    stage.tenant.add_member(group, "boardroom", delay=timedelta(minutes=75))
    waiting = Waiting(stage)
    assert (await waiting.end()).probe.effective
    assert waiting.moments[-1] == 76
    assert len(stage.batches) == len(waiting.looks) == 39


async def test_under_rbac_exchange_is_checked_at_most_every_half_hour(stage: Stage) -> None:
    """An application that keeps asking keeps the old answer alive."""
    app = stage.connect(roles=[], more=fence_toml("rbac", []))
    stage.tenant.assign_rbac(
        app, stage.tenant.add_group("placed-rooms", members=["boardroom"]), delay=timedelta(hours=2)
    )
    waiting = Waiting(stage)
    assert (await waiting.end()).probe.effective
    assert waiting.moments == [0, 31, 62, 93, 124]
    assert (stage.logins, len(stage.batches)) == (5, 5)


async def test_what_does_not_come_is_given_up_after_a_last_look(stage: Stage) -> None:
    stage.connect(roles=[])
    waiting = Waiting(stage)
    last = await waiting.end(at_most=3 * MINUTE)
    assert (last.probe.effective, last.rest) == (False, None)
    assert waiting.moments == [0, 2, 3]


async def test_the_usual_time_ends_some_day(stage: Stage) -> None:
    stage.connect(roles=[], more=fence_toml("rbac", []))
    waiting = Waiting(stage)
    assert not (await waiting.end()).probe.effective
    assert waiting.looks[-1].elapsed == pytest.approx(4 * HOUR, abs=30)
    assert len(waiting.looks) < 10


async def test_an_error_that_needs_the_operator_ends_the_wait_at_once(stage: Stage) -> None:
    app = stage.connect()
    stage.tenant.expire_secrets(app)
    waiting = Waiting(stage)
    last = await waiting.end()
    assert last.probe.problem.lasting
    assert last.probe.problem.text == "sign-in refused: AADSTS7000222"
    assert "expired" in last.probe.problem.remedy
    assert (stage.logins, waiting.moments) == (1, [0])


async def test_an_outage_is_waited_out(stage: Stage) -> None:
    stage.connect()
    fault = stage.tenant.faults.login_error(90033)
    waiting = Waiting(stage)
    sleeps = 0

    def mend() -> None:
        nonlocal sleeps
        sleeps += 1
        if sleeps == 3:
            stage.tenant.faults.remove(fault)

    waiting.clock.meanwhile = mend
    assert (await waiting.end()).probe.effective
    assert waiting.moments == [0, 1, 2, 3]
    assert waiting.looks[0].probe.problem.text == "sign-in failed: AADSTS90033"
