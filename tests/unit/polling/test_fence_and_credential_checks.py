"""The fence and the credential are checked; what needs a person is a warning or an error in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.problem import Problem
from placed.driver import DriverError, Fence, FenceState, Refused, Unavailable
from placed.polling.connection_monitor import CredentialCheck
from placed.polling.fence_check import FenceCheck
from tests.support.domain_builders import FakeClock, at
from tests.unit.polling.poller_setup import ScriptedDriver

if TYPE_CHECKING:
    from structlog.typing import EventDict

NINE = at("9:00")
DAY = timedelta(days=1)


class Watched:
    """A fence with the state that the test sets."""

    def __init__(self) -> None:
        self.clock = FakeClock(NINE)
        self.driver = ScriptedDriver(self.clock, ["boardroom"])
        self.watch = FenceCheck("contoso", self.driver, self.clock)

    async def hours(self, number: int, fence: Fence | DriverError) -> list[EventDict]:
        """So many hours pass, with such a fence; returns what was logged."""
        self.driver.fence = fence
        with capture_logs() as logs:
            for _ in range(number):
                await self.watch.look()
                self.clock.pass_(3600)
        return logs


async def test_it_is_tried_at_once_and_every_hour_and_not_between() -> None:
    watched = Watched()
    assert await watched.watch.look()
    watched.clock.pass_(3599)
    assert not await watched.watch.look()
    watched.clock.pass_(1)
    assert await watched.watch.look()
    assert watched.driver.fences_tried == 2


async def test_a_fence_that_holds_is_logged_once() -> None:
    logs = await Watched().hours(3, Fence(FenceState.VERIFIED, NINE))
    assert [(e["event"], e["log_level"]) for e in logs] == [("fence.was_verified", "info")]


async def test_an_unproven_fence_is_logged_every_time_with_its_remedy() -> None:
    logs = await Watched().hours(3, Fence(FenceState.UNPROVEN))
    assert [(e["event"], e["log_level"]) for e in logs] == [("fence.is_unproven", "warning")] * 3
    assert "fence.canaries" in logs[0]["remedy"]


async def test_permissions_in_excess_are_named_and_named_again_when_they_change() -> None:
    watched = Watched()
    logs = await watched.hours(2, Fence(FenceState.EXCESS, NINE, excess=("Mail.Read",)))
    logs += await watched.hours(1, Fence(FenceState.EXCESS, NINE, excess=("Mail.Read", "Mail.Send")))
    logs += await watched.hours(1, Fence(FenceState.VERIFIED, NINE))
    assert [(e["event"], e.get("permissions")) for e in logs] == [
        ("fence.is_in_excess", ["Mail.Read"]),
        ("fence.is_in_excess", ["Mail.Read", "Mail.Send"]),
        ("fence.was_verified", None),
    ]


async def test_an_inconclusive_trial_is_repeated_soon_and_its_reason_logged_hourly() -> None:
    watched = Watched()
    watched.driver.fence = Fence(FenceState.UNPROVEN, NINE, warnings=(Problem("", "a proxy", "ask it"),))
    with capture_logs() as logs:
        for _ in range(3600 // 60):
            await watched.watch.look()
            watched.clock.pass_(60)
    assert watched.driver.fences_tried == 3600 // 300
    assert [e["remedy"] for e in logs if e["event"] == "fence.is_unproven"] == ["a proxy; ask it"]


async def test_it_is_tried_again_where_circumstances_are_others_than_after_the_reading_before() -> None:
    watched = Watched()
    await watched.watch.look()
    for seen in ("first", "first"):
        watched.watch.observe(seen)
        assert not await watched.watch.look()
    watched.watch.observe("another")
    assert await watched.watch.look()
    watched.watch.observe("another")
    assert not await watched.watch.look()


async def test_it_is_tried_again_where_the_driver_has_another_token() -> None:
    watched = Watched()
    watched.driver.fence_circumstances = 1  # type: ignore[attr-defined]
    await watched.watch.look()
    watched.watch.observe("same")
    assert not await watched.watch.look()
    watched.driver.fence_circumstances = 2  # type: ignore[attr-defined]
    watched.watch.observe("same")
    assert await watched.watch.look()
    watched.watch.observe("same")
    assert not await watched.watch.look()


async def test_a_flaw_is_logged_once() -> None:
    logs = await Watched().hours(
        3, Fence(FenceState.VERIFIED, NINE, warnings=(Problem("", "mind the gap", "step over it"),))
    )
    (flaw,) = [e for e in logs if e["event"] == "fence.has_a_flaw"]
    assert (flaw["problem"], flaw["remedy"]) == ("mind the gap", "step over it")


async def test_the_reason_of_an_unproven_fence_is_logged_in_one_line() -> None:
    links = Problem("", "everybody may have the link", "keep it in a file", joint=": ")
    logs = await Watched().hours(1, Fence(FenceState.UNPROVEN, NINE, warnings=(links,)))
    assert [(e["event"], e["remedy"]) for e in logs] == [
        ("fence.is_unproven", "everybody may have the link: keep it in a file")
    ]


@pytest.mark.parametrize("enforce", [True, False])
async def test_a_breach_is_an_error_and_enforced_if_that_is_wanted(*, enforce: bool) -> None:
    watched = Watched()
    logs = await watched.hours(1, Fence(FenceState.BREACHED, NINE, enforce=enforce))
    assert [(e["event"], e["log_level"]) for e in logs] == [("fence.was_breached", "error")]
    assert watched.watch.enforcing is enforce


async def test_a_trial_that_could_not_be_made_changes_nothing_and_is_made_up_for_in_a_minute() -> None:
    watched = Watched()
    await watched.hours(1, Fence(FenceState.VERIFIED, NINE))
    await watched.hours(1, Unavailable("down"))
    assert watched.watch.fence.state is FenceState.VERIFIED
    assert watched.watch.next <= watched.clock.steady()


async def test_a_refusal_of_the_connection_is_not_kept_from_it() -> None:
    with pytest.raises(Refused):
        await Watched().hours(1, Refused("no"))


def test_credential_expiry_is_logged_daily_from_thirty_days_before() -> None:
    watch, end = CredentialCheck("contoso"), NINE + 31 * DAY
    with capture_logs() as logs:
        for hour in range(0, 33 * 24, 6):
            watch.look(end, NINE + timedelta(hours=hour))
    assert [e["days_left"] for e in logs] == [*range(30, -1, -1), 0]
    assert {e["event"] for e in logs[:30]} == {"credential.runs_out"}
    assert logs[-1]["event"] == "credential.ran_out"
    assert "placed setup --renew" in logs[0]["remedy"]


def test_a_credential_that_was_renewed_or_has_no_end_is_no_matter() -> None:
    watch = CredentialCheck("contoso")
    with capture_logs() as logs:
        watch.look(None, NINE)
        watch.look(NINE + 300 * DAY, NINE)
        watch.look(NINE + 3 * DAY, NINE)
        watch.look(NINE + 300 * DAY, NINE)
        watch.look(NINE + 3 * DAY, NINE)
    assert len(logs) == 2
