"""The fence of what writes: tried before the first write and every hour; a breach ends the writing alone."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from placed.actions.connection_actions import ConnectionActions
from placed.domain.action import Action, Outcome, Refusal
from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.fence_result import Fence, FenceState
from placed.driver import DriverError, NotPermitted, Unavailable
from placed.runtime.writer_fence import WriterFence
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import at

BOOK = Action.BOOK


class Setup(ActionSetup):
    """A service whose writer has a fence."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.fence = WriterFence("contoso", self.calendar, self.board, self.clock)
        self.connections = {"contoso": ConnectionActions(self.settings, self.calendar, self.fence)}
        self.board.report(ConnectionHealth("contoso", "fake", ConnectionState.OK))

    @property
    def health(self) -> ConnectionHealth:
        return self.board.health["contoso"]


async def test_the_canaries_are_tried_before_the_first_write_and_then_every_hour() -> None:
    setup = Setup()
    for _ in range(2):
        await setup.ask(BOOK, until=at("12:05"))
    assert setup.calendar.trials == [["boardroom"]]
    setup.clock.pass_(3600)
    await setup.ask(BOOK, until=at("13:30"))
    assert len(setup.calendar.trials) == 2


async def test_a_breached_writer_stops_and_reading_goes_on() -> None:
    setup = Setup()
    setup.calendar.fence = Fence(FenceState.BREACHED, setup.clock.now())
    reply = await setup.ask(BOOK, until=at("12:30"))
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.FORBIDDEN)
    assert (setup.calendar.orders, setup.calendar.looks) == ([], 0)
    assert setup.health.state is ConnectionState.OK
    assert setup.health.document()["actions"]["fence"]["state"] == "breached"
    assert setup.health.document()["fence"]["state"] == "unproven"


async def test_a_breach_that_is_not_enforced_is_reported_only() -> None:
    setup = Setup()
    setup.calendar.fence = Fence(FenceState.BREACHED, setup.clock.now(), enforce=False)
    assert (await setup.ask(BOOK, until=at("12:30"))).outcome is Outcome.DONE
    assert setup.health.document()["actions"]["fence"]["state"] == "breached"


async def test_nothing_is_written_before_the_canaries_could_be_tried() -> None:
    for error, reason in (
        (Unavailable("down"), Refusal.UNAVAILABLE),
        (NotPermitted("no"), Refusal.FORBIDDEN),
    ):
        setup = Setup()
        setup.calendar.fence = error
        assert (await setup.ask(BOOK, until=at("12:30"))).reason is reason
        assert setup.calendar.orders == []


async def test_the_health_of_a_connection_keeps_the_fence_of_its_writer() -> None:
    setup = Setup()
    await setup.fence.look()
    setup.board.report(ConnectionHealth("contoso", "fake", ConnectionState.FAILING))
    assert setup.health.writer_fence == setup.calendar.fence
    setup.board.report_writer_fence("contoso", None)
    assert setup.health.document()["actions"] is None


async def test_the_canaries_are_tried_without_any_command_and_a_fault_ends_nothing() -> None:
    setup = Setup()
    faults: list[DriverError | Exception] = [NotPermitted("no"), ValueError("a fault"), NotPermitted("no")]
    ended = asyncio.Event()

    async def sleep(seconds: float) -> None:
        setup.clock.pass_(seconds)
        setup.calendar.fence = faults.pop(0) if faults else Fence(FenceState.VERIFIED)
        if setup.fence.tried:
            ended.set()
        await asyncio.sleep(0)

    setup.clock.sleep = sleep  # type: ignore[method-assign]
    setup.calendar.fence = Unavailable("down")
    with capture_logs() as logs:
        running = asyncio.create_task(setup.fence.run())
        await ended.wait()
        running.cancel()
    assert {line["event"] for line in logs} >= {"actions.are_refused", "fence.was_verified"}
    assert {line["registration"] for line in logs if "registration" in line} == {"actions"}
