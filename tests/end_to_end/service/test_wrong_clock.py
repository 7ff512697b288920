"""A machine's clock that is wrong: rooms are shown by the calendar services' time, and it is reported."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import make_client_certificate
from tests.support.adjustable_clock import LeapingClock
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

OFF = (-12 * 60.0, -3 * 86_400.0, 2 * 3600.0)
SINCE_1970 = 56.9 * 365.25 * 86_400


class WrongClock(LeapingClock):
    """The machine's clock, wrong by so many seconds; the tenant's is right."""

    def __init__(self, off: float) -> None:
        super().__init__()
        self.off = off

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.off)


def put_wrong(deployment: Deployment, off: float) -> WrongClock:
    """Daemons that start from now on have a clock that is wrong."""
    deployment.clock = clock = WrongClock(off)
    return clock


def book(deployment: Deployment, room: str = "boardroom") -> datetime:
    """A meeting that runs, for ten more minutes; when it ends."""
    now = deployment.tenant.now().replace(microsecond=0)
    deployment.tenant.book(room, now - timedelta(minutes=5), now + timedelta(minutes=10))
    return now + timedelta(minutes=10)


@pytest.mark.parametrize("off", OFF)
async def test_a_meeting_that_runs_is_shown_and_the_clock_is_reported(
    deployment: Deployment, off: float
) -> None:
    end = book(deployment)
    put_wrong(deployment, off)
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        state = await panel.until(
            lambda a: a.topic == "placed/rooms/boardroom/state" and a.document["status"] != "unknown"
        )
        room = await web.room("boardroom")
        for shown in (state.document, room):
            assert shown["status"] == "busy"
            assert abs(datetime.fromisoformat(shown["busy_until"]) - end) <= timedelta(seconds=1)
            valid_until = datetime.fromisoformat(shown["valid_until"])
            assert timedelta() < valid_until - deployment.tenant.now() <= timedelta(minutes=15, seconds=2)
            observed = datetime.fromisoformat(shown["observed_at"])
            assert abs(observed - deployment.tenant.now()) <= timedelta(seconds=20)
        status, text = await web.get("/readyz")
        assert status == 200
        assert "clock" in text
        clock = (await web.json("/api/v1/connections"))["clock"]
        assert clock["state"] == "corrected"
        assert clock["offset_seconds"] == pytest.approx(off, abs=1)
        _, metrics = await web.get("/metrics")
        measured = re.search(r"^placed_clock_offset_seconds (\S+)$", metrics, re.MULTILINE)
        assert measured
        assert float(measured[1]) == pytest.approx(off, abs=1)
        health = await panel.until(
            lambda a: a.topic == "placed/bridge/health" and a.document["clock"]["state"] == "corrected"
        )
        assert health.document["clock"]["offset_seconds"] == pytest.approx(off, abs=1)
        lines = [line for line in running.logs if line["event"].startswith("clock.is_")]
        assert [line["event"] for line in lines] == ["clock.is_wrong"]


@pytest.mark.parametrize("off", OFF)
async def test_a_clock_that_is_set_right_or_wrong_later_changes_no_room(
    deployment: Deployment, off: float
) -> None:
    book(deployment)
    clock = put_wrong(deployment, off)
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        for right in (True, False, True):
            after = len(panel.arrivals)
            clock.off = 0.0 if right else off
            wanted = "right" if right else "corrected"
            await panel.until(
                lambda a, w=wanted: a.topic == "placed/bridge/health" and a.document["clock"]["state"] == w,  # type: ignore[misc]
                after=after,
            )
            assert (await web.room("boardroom"))["status"] == "busy"
        statuses = {a.document["status"] for a in panel.arrivals if a.topic == "placed/rooms/boardroom/state"}
        assert statuses <= {"unknown", "busy"}
        assert deployment.logins == 1
        events = [line["event"] for line in running.logs if line["event"].startswith("clock.is_")]
        assert events == ["clock.is_wrong", "clock.is_right_again"] * 2


@pytest.mark.parametrize("off", [-SINCE_1970, -3 * 86_400.0, 20 * 365 * 86_400.0])
async def test_a_start_with_a_certificate_goes_by_the_login_hosts_time(
    deployment: Deployment, off: float
) -> None:
    """It was made yesterday, and so is not valid yet by a clock that is three days behind."""
    pem = make_client_certificate(
        key_size=2048, valid_from=deployment.tenant.now() - timedelta(days=1), lifetime=timedelta(days=365)
    )
    file = deployment.folder / "contoso.pem"
    write_secret(file, pem)
    app = deployment.connect(certificate=file)
    deployment.tenant.add_certificate(app, pem)
    deployment.configure()
    book(deployment)
    put_wrong(deployment, off)
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.message("placed/rooms/boardroom/status", "busy")
        assert (await web.room("boardroom"))["status"] == "busy"


async def test_a_start_in_1970_waits_for_the_time_and_publishes_nothing_meanwhile(
    deployment: Deployment,
) -> None:
    book(deployment)
    async with deployment.daemon():
        pass  # what a journal knows is not believed at the next start either
    clock = put_wrong(deployment, -SINCE_1970)
    async with deployment.outage(), deployment.daemon(ready=False) as running:
        await running.ready()
        async with deployment.ways_out(running) as (panel, web):
            state = await panel.until(lambda a: a.topic == "placed/rooms/boardroom/state")
            assert state.document["status"] == "unknown"
            assert (await web.room("boardroom"))["status"] == "unknown"
            status, text = await web.get("/readyz")
            assert status == 503
            assert "clock" in text
            assert [line for line in running.logs if line["event"] == "clock.is_unset"]
            clock.off = 0.0
            await panel.until(
                lambda a: a.topic == "placed/bridge/health" and a.document["clock"]["state"] != "unset"
            )
