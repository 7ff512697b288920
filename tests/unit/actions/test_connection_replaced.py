"""A reload replaces or closes a connection while a command of a panel is under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from placed.actions.connection_actions import ConnectionActions
from placed.domain.action import Action, Outcome, Refusal
from placed.driver import Unavailable
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import at
from tests.support.fake_calendar import FakeCalendar, WritingSettings, settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from placed.domain.model import Room
    from placed.driver import Booking, Order, WriteResult

BOOK = Action.BOOK
HALF_PAST = at("12:30")


class ClosableCalendar(FakeCalendar):
    """A calendar whose connection notices that it is used after it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.used_after_close = 0

    async def look(self, room: Room, since: datetime, until: datetime) -> Sequence[Booking]:
        self.used_after_close += self.closed
        return await super().look(room, since, until)

    async def write(self, order: Order) -> WriteResult:
        self.used_after_close += self.closed
        return await super().write(order)


class Reloaded(ActionSetup):
    """The connection is replaced when the calendar is looked at for the given time."""

    def __init__(self, at_look: int, after: ConnectionActions | None) -> None:
        self.closable = ClosableCalendar()
        super().__init__(calendar=self.closable)
        self._at_look = at_look
        self._after = after
        self._closing: asyncio.Task[None] | None = None
        self.calendar.before_look = self.reload

    def reload(self) -> None:
        if self.calendar.looks == self._at_look:
            before = self.connections.pop("contoso")
            if self._after is not None:
                self.connections["contoso"] = self._after
            self._closing = asyncio.create_task(before.close())


def without_actions() -> ConnectionActions:
    return ConnectionActions(WritingSettings.model_validate({"name": "contoso"}))


async def test_a_command_that_has_written_ends_with_the_writer_that_it_began_with() -> None:
    setup = Reloaded(1, without_actions())  # the first look after the write
    reply = await setup.ask(BOOK, until=HALF_PAST)
    assert reply.outcome is Outcome.DONE
    assert setup.closable.used_after_close == 0
    assert setup.calendar.closed


@pytest.mark.parametrize("after", [without_actions(), None], ids=["without actions", "gone"])
async def test_a_command_writes_nothing_once_a_reload_does_not_allow_it(
    after: ConnectionActions | None,
) -> None:
    setup = Reloaded(0, after)  # the look before the write
    reply = await setup.ask(BOOK, until=HALF_PAST)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.NOT_CONFIGURED)
    assert setup.calendar.orders == []
    assert setup.calendar.closed
    assert setup.closable.used_after_close == 0


async def test_an_action_that_a_reload_removes_is_not_written() -> None:
    setup = Reloaded(0, ConnectionActions(settings(allow=["end"]), FakeCalendar()))
    reply = await setup.ask(BOOK, until=HALF_PAST)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.NOT_ALLOWED)
    assert setup.calendar.orders == []


async def test_a_writer_that_nobody_uses_is_closed_at_once() -> None:
    setup = ActionSetup()
    await setup.ask(BOOK, until=HALF_PAST)
    assert not setup.calendar.closed
    await setup.connections["contoso"].close()
    assert setup.calendar.closed


async def test_the_end_of_the_program_leaves_no_command_that_uses_a_writer() -> None:
    setup = ActionSetup()
    waits = asyncio.Event()

    async def forever(*_: object) -> Sequence[Booking]:
        waits.set()
        await asyncio.Event().wait()
        raise Unavailable("never")

    setup.calendar.look = forever  # type: ignore[method-assign, assignment]
    execution = setup.service.submit(setup.command(BOOK, until=HALF_PAST))
    await waits.wait()
    await setup.service.close(patience=0.0)
    await setup.connections["contoso"].close()
    assert setup.calendar.closed
    assert not execution.reply.final
