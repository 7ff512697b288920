"""What was readable a moment ago is asked for again within some intervals, before a failure is believed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason, Status
from placed.domain.room_readability import Access, readability_documents
from placed.driver import Failed, NotPermitted, Unchanged
from placed.settings.room_tables import Polling
from tests.unit.polling.test_poller import ScriptedDriver, Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, Query

LASTING = [Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.MALFORMED]


class Lasting(ScriptedDriver):
    """Says of what fails that only a person can change it."""

    async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        async for found in super().read(queries):
            if isinstance(found, Failed):
                yield Failed(found.query, found.reason, replace(found.problem, lasting=True))
            else:
                yield found


def asked_for(stage: Stage, room: str) -> list[int]:
    return [when for when, rooms in stage.asked() if room in rooms.split()]


@pytest.mark.parametrize("kind", [ScriptedDriver, Lasting])
@pytest.mark.parametrize("reason", LASTING)
async def test_a_failure_of_a_room_that_was_readable_is_doubted(
    kind: type[ScriptedDriver], reason: Reason
) -> None:
    stage = Stage("one", "two", kind=kind)
    await stage.steps(31)
    stage.driver.failing["one"] = (reason, None)
    await stage.steps(900)
    whens = asked_for(stage, "one")
    assert whens[:6] == [0, 30, 60, 90, 120, 150]
    assert max(b - a for a, b in pairwise(whens[6:])) <= 300
    assert len(whens) < 15  # and it is believed in the end


@pytest.mark.parametrize("reason", LASTING)
async def test_a_failure_that_is_over_at_once_is_not_felt(reason: Reason) -> None:
    stage = Stage("one", kind=Lasting)
    await stage.steps(31)
    stage.driver.failing["one"] = (reason, None)
    await stage.steps(30)
    stage.driver.failing.clear()
    await stage.steps(30)
    statement = stage.board.statement("one")
    assert statement
    assert not statement.occupancy.stale
    assert asked_for(stage, "one")[:4] == [0, 30, 60, 90]


async def test_with_a_budget_too() -> None:
    stage = Stage("one", polling=Polling(budget=600), kind=Lasting)
    await stage.steps(120)
    stage.driver.failing["one"] = (Reason.NOT_FOUND, None)
    await stage.steps(60)
    before = len(stage.driver.rounds)
    await stage.steps(60)
    assert len(stage.driver.rounds) > before


async def test_the_failure_of_a_room_never_read_is_accepted_at_once() -> None:
    stage = Stage("one", "two", kind=Lasting)
    stage.driver.failing["one"] = (Reason.NOT_FOUND, None)
    await stage.steps(600)
    assert asked_for(stage, "one")[:2] == [0, 300]


async def test_a_refusal_of_a_readable_connection_is_accepted_only_after_a_retry() -> None:
    stage = Stage("one")
    await stage.steps(31)
    stage.driver.broken = NotPermitted("Graph answered 403 AccessDenied", lasting=True)
    await stage.steps(500)
    whens = asked_for(stage, "one")
    assert whens[:6] == [0, 30, 60, 90, 120, 150]
    assert whens[6] == 450


# --- unchanged ----------------------------------------------------------------------------------------------


async def test_a_room_of_which_nothing_is_known_is_not_unchanged() -> None:
    """Whatever removed the schedule, the driver is asked as if it had read nothing."""
    stage = Stage("one")
    asked: list[bool] = []
    read = stage.driver.read

    def noted(queries: Sequence[Query]) -> AsyncIterator[Answer]:
        asked.extend(query.known for query in queries)
        return read(queries)

    stage.driver.read = noted  # type: ignore[method-assign]
    await stage.steps(31)
    stage.board.forget("contoso", Reason.NOT_READ_YET)
    await stage.steps(30)
    assert asked == [False, True, False]


async def test_an_unchanged_answer_for_a_room_of_which_nothing_is_known_does_not_count_as_read() -> None:
    stage = Stage("one")

    class Careless(ScriptedDriver):
        async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
            for query in queries:
                yield Unchanged(query, self.clock.now())

    stage = Stage("one", kind=Careless)
    await stage.steps(31)
    assert stage.status("one") == (Status.UNKNOWN, Reason.UNAVAILABLE)
    (standing,) = readability_documents(stage.board.rooms, stage.poller.health.readability, None)
    assert standing["access"] == Access.UNAVAILABLE
