"""What was readable a moment ago is asked for again within some intervals, before a failure is believed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason, Status
from placed.domain.room_readability import Access, readability_documents
from placed.driver import Failed, NotPermitted, Unchanged
from placed.settings.polling_settings import Polling
from tests.unit.polling.poller_setup import PollerSetup, ScriptedDriver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, Query

LASTING = [Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.MALFORMED]


class Lasting(ScriptedDriver):
    """Reports every failure as one that only a person can fix."""

    async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        async for found in super().read(queries):
            if isinstance(found, Failed):
                yield Failed(found.query, found.reason, replace(found.problem, lasting=True))
            else:
                yield found


def asked_for(poller_setup: PollerSetup, room: str) -> list[int]:
    return [when for when, rooms in poller_setup.asked() if room in rooms.split()]


@pytest.mark.parametrize("kind", [ScriptedDriver, Lasting])
@pytest.mark.parametrize("reason", LASTING)
async def test_a_failure_of_a_room_that_was_readable_is_doubted(
    kind: type[ScriptedDriver], reason: Reason
) -> None:
    poller_setup = PollerSetup("one", "two", kind=kind)
    await poller_setup.steps(31)
    poller_setup.driver.failing["one"] = (reason, None)
    await poller_setup.steps(900)
    whens = asked_for(poller_setup, "one")
    assert whens[:6] == [0, 30, 60, 90, 120, 150]
    assert max(b - a for a, b in pairwise(whens[6:])) <= 300
    assert len(whens) < 15  # and it is believed in the end


@pytest.mark.parametrize("reason", LASTING)
async def test_a_failure_that_is_over_at_once_is_not_felt(reason: Reason) -> None:
    poller_setup = PollerSetup("one", kind=Lasting)
    await poller_setup.steps(31)
    poller_setup.driver.failing["one"] = (reason, None)
    await poller_setup.steps(30)
    poller_setup.driver.failing.clear()
    await poller_setup.steps(30)
    statement = poller_setup.board.statement("one")
    assert statement
    assert not statement.occupancy.stale
    assert asked_for(poller_setup, "one")[:4] == [0, 30, 60, 90]


async def test_with_a_budget_too() -> None:
    poller_setup = PollerSetup("one", polling=Polling(budget=600), kind=Lasting)
    await poller_setup.steps(120)
    poller_setup.driver.failing["one"] = (Reason.NOT_FOUND, None)
    await poller_setup.steps(60)
    before = len(poller_setup.driver.rounds)
    await poller_setup.steps(60)
    assert len(poller_setup.driver.rounds) > before


async def test_the_failure_of_a_room_never_read_is_accepted_at_once() -> None:
    poller_setup = PollerSetup("one", "two", kind=Lasting)
    poller_setup.driver.failing["one"] = (Reason.NOT_FOUND, None)
    await poller_setup.steps(600)
    assert asked_for(poller_setup, "one")[:2] == [0, 300]


async def test_a_refusal_of_a_readable_connection_is_accepted_only_after_a_retry() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(31)
    poller_setup.driver.broken = NotPermitted("Graph answered 403 AccessDenied", lasting=True)
    await poller_setup.steps(500)
    whens = asked_for(poller_setup, "one")
    assert whens[:6] == [0, 30, 60, 90, 120, 150]
    assert whens[6] == 450


# --- unchanged ----------------------------------------------------------------------------------------------


async def test_a_room_of_which_nothing_is_known_is_not_unchanged() -> None:
    """Whatever removed the schedule, the driver is asked as if it had read nothing."""
    poller_setup = PollerSetup("one")
    asked: list[bool] = []
    read = poller_setup.driver.read

    def noted(queries: Sequence[Query]) -> AsyncIterator[Answer]:
        asked.extend(query.known for query in queries)
        return read(queries)

    poller_setup.driver.read = noted  # type: ignore[method-assign]
    await poller_setup.steps(31)
    poller_setup.board.forget("contoso", Reason.NOT_READ_YET)
    await poller_setup.steps(30)
    assert asked == [False, True, False]


async def test_an_unchanged_answer_for_a_room_of_which_nothing_is_known_does_not_count_as_read() -> None:
    poller_setup = PollerSetup("one")

    class Careless(ScriptedDriver):
        async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
            for query in queries:
                yield Unchanged(query, self.clock.now())

    poller_setup = PollerSetup("one", kind=Careless)
    await poller_setup.steps(31)
    assert poller_setup.status("one") == (Status.UNKNOWN, Reason.UNAVAILABLE)
    (standing,) = readability_documents(
        poller_setup.board.rooms, poller_setup.poller.health.readability, None
    )
    assert standing["access"] == Access.UNAVAILABLE
