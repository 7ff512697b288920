"""No more requests begin within a minute than the budget allows."""

from __future__ import annotations

import asyncio

from placed_google.calendars.request_budget import RequestBudget


class Timer:
    """A clock that goes on by sleeping."""

    def __init__(self) -> None:
        self.moment = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += seconds
        await asyncio.sleep(0)


def budget_of(most: int) -> tuple[RequestBudget, Timer]:
    timer = Timer()
    return RequestBudget(most, timer, timer.sleep), timer


async def test_what_is_left_may_begin_at_once() -> None:
    budget, timer = budget_of(100)
    await budget.take(50)
    await budget.take(50)
    assert (budget.left, timer.slept) == (0, [])


async def test_the_rest_waits_until_the_first_are_a_minute_old() -> None:
    budget, timer = budget_of(100)
    await budget.take(50)
    timer.moment += 20
    await budget.take(50)
    assert budget.wait_for(50) == 40
    assert budget.wait_for(51) == 60
    await budget.take(50)
    assert timer.slept == [40]
    assert budget.left == 0


async def test_more_than_the_budget_waits_for_all_of_it() -> None:
    budget, timer = budget_of(10)
    await budget.take(1)
    await budget.take(50)
    assert timer.slept == [60]
    assert budget.left == 0


async def test_those_who_wait_go_on_in_their_order() -> None:
    budget, timer = budget_of(10)
    order: list[str] = []

    async def take(name: str, number: int) -> None:
        await budget.take(number)
        order.append(name)

    await budget.take(10)
    await asyncio.gather(take("large", 10), take("small", 1))
    assert order == ["large", "small"]
    assert sum(timer.slept) == 120
