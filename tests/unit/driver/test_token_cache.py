"""How long a token is kept, and when another is asked for."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from placed.driver import NotPermitted, Refused, Unavailable
from placed.driver.background_thread import run_in_thread
from placed.driver.token_cache import TokenCache
from tests.support.domain_builders import FakeClock, at

if TYPE_CHECKING:
    from placed.driver import DriverError


class LoginHost:
    """Gives token-1, token-2 and so on, good for an hour, or fails."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: DriverError | None = None
        self.lifetime = 3600.0
        self.called, self.open = threading.Event(), threading.Event()
        self.open.set()

    def __call__(self) -> tuple[str, float]:
        self.called.set()
        self.open.wait()
        self.asked += 1
        if self.error is not None:
            raise self.error
        return f"token-{self.asked}", self.lifetime


@pytest.fixture
def host() -> LoginHost:
    return LoginHost()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at("9:00"))


@pytest.fixture
def source(host: LoginHost, clock: FakeClock) -> TokenCache:
    return TokenCache(partial(run_in_thread, host), clock.steady)


async def test_a_token_is_kept_until_five_minutes_before_its_end(
    source: TokenCache, clock: FakeClock
) -> None:
    assert await source.token() == "token-1"
    clock.pass_(54 * 60 + 59)
    assert await source.token() == "token-1"
    clock.pass_(1)
    assert await source.token() == "token-2"


async def test_of_a_token_that_lives_shortly_half_is_used(
    source: TokenCache, host: LoginHost, clock: FakeClock
) -> None:
    host.lifetime = 60.0
    await source.token()
    clock.pass_(29)
    assert await source.token() == "token-1"
    clock.pass_(1)
    assert await source.token() == "token-2"


@pytest.mark.parametrize("error", [Unavailable("down"), NotPermitted("blocked"), Refused("expired")])
async def test_the_old_token_is_used_while_there_is_no_new_one(
    source: TokenCache, host: LoginHost, clock: FakeClock, error: DriverError
) -> None:
    await source.token()
    host.error = error
    clock.pass_(55 * 60)
    for _ in range(3):
        assert await source.token() == "token-1"
    assert host.asked == 2
    clock.pass_(1 * 60)
    assert await source.token() == "token-1"
    assert host.asked == 3
    clock.pass_(4 * 60)
    with pytest.raises(type(error)):
        await source.token()


async def test_the_old_token_is_used_during_a_renewal(
    source: TokenCache, host: LoginHost, clock: FakeClock
) -> None:
    await source.token()
    clock.pass_(56 * 60)
    host.called.clear()
    host.open.clear()
    renewal = asyncio.create_task(source.token())
    await asyncio.to_thread(host.called.wait)
    assert await source.token() == "token-1"
    host.open.set()
    assert await renewal == "token-2"


async def test_concurrent_callers_share_one_token_request(source: TokenCache, host: LoginHost) -> None:
    assert set(await asyncio.gather(*(source.token() for _ in range(50)))) == {"token-1"}
    assert host.asked == 1


async def test_concurrent_callers_share_one_failure(source: TokenCache, host: LoginHost) -> None:
    host.error = Refused("wrong secret")
    failures = await asyncio.gather(*(source.token() for _ in range(50)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {Refused}
    assert host.asked == 1


@pytest.mark.parametrize(
    ("error", "quiet"),
    [
        (Unavailable("down"), 2),
        (Unavailable("busy", retry_after=17), 17),
        (NotPermitted("blocked"), 30),
        (Refused("expired"), 30),
    ],
)
async def test_a_failure_is_not_repeated_at_once(
    source: TokenCache, host: LoginHost, clock: FakeClock, error: DriverError, quiet: float
) -> None:
    host.error = error
    for _ in range(2):
        with pytest.raises(type(error)):
            await source.token()
    clock.pass_(quiet - 1)
    with pytest.raises(type(error)):
        await source.token()
    assert host.asked == 1
    host.error = None
    clock.pass_(1)
    assert await source.token() == "token-2"


async def test_a_clock_that_is_set_back_does_not_prolong_a_failure(
    source: TokenCache, host: LoginHost, clock: FakeClock
) -> None:
    host.error = Refused("expired")
    with pytest.raises(Refused):
        await source.token()
    host.error = None
    clock.pass_(-1 * 3600)
    assert await source.token() == "token-2"


async def test_a_refused_token_is_dropped_once_a_minute(source: TokenCache, clock: FakeClock) -> None:
    first = await source.token()
    assert source.refused(first)
    assert source.refused(first)  # somebody else, who had the same
    second = await source.token()
    assert second == "token-2"
    assert source.refused(first)
    assert not source.refused(second)
    assert await source.token() == "token-2"
    clock.pass_(1 * 60)
    assert source.refused(second)
    assert await source.token() == "token-3"


async def test_what_is_done_aside_raises_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await run_in_thread(fail)


async def test_a_cancelled_caller_does_not_stop_the_sign_in_thread() -> None:
    going, over = threading.Event(), threading.Event()

    def work() -> None:
        going.set()
        over.wait()

    task = asyncio.create_task(run_in_thread(work))
    await asyncio.to_thread(going.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    over.set()
