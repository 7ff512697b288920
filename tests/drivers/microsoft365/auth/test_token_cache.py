"""How long a token is kept, and when another is asked for."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from placed.driver import NotPermitted, Refused, Unavailable
from placed_microsoft365.auth.token_cache import TokenCache
from placed_microsoft365.background_thread import run_in_thread
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup, outcomes

if TYPE_CHECKING:
    from placed.driver import DriverError
    from tests.drivers.microsoft365.simulator.conftest import Clock


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
def source(host: LoginHost, clock: Clock) -> TokenCache:
    return TokenCache(host, lambda: clock().timestamp())


async def test_a_token_is_kept_until_five_minutes_before_its_end(source: TokenCache, clock: Clock) -> None:
    assert await source.token() == "token-1"
    clock.advance(minutes=54, seconds=59)
    assert await source.token() == "token-1"
    clock.advance(seconds=1)
    assert await source.token() == "token-2"


async def test_of_a_token_that_lives_shortly_half_is_used(
    source: TokenCache, host: LoginHost, clock: Clock
) -> None:
    host.lifetime = 60.0
    await source.token()
    clock.advance(seconds=29)
    assert await source.token() == "token-1"
    clock.advance(seconds=1)
    assert await source.token() == "token-2"


@pytest.mark.parametrize("error", [Unavailable("down"), NotPermitted("blocked"), Refused("expired")])
async def test_the_old_token_is_used_while_there_is_no_new_one(
    source: TokenCache, host: LoginHost, clock: Clock, error: DriverError
) -> None:
    await source.token()
    host.error = error
    clock.advance(minutes=55)
    for _ in range(3):
        assert await source.token() == "token-1"
    assert host.asked == 2
    clock.advance(minutes=1)
    assert await source.token() == "token-1"
    assert host.asked == 3
    clock.advance(minutes=4)
    with pytest.raises(type(error)):
        await source.token()


async def test_the_old_token_is_used_during_a_renewal(
    source: TokenCache, host: LoginHost, clock: Clock
) -> None:
    await source.token()
    clock.advance(minutes=56)
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
    source: TokenCache, host: LoginHost, clock: Clock, error: DriverError, quiet: float
) -> None:
    host.error = error
    for _ in range(2):
        with pytest.raises(type(error)):
            await source.token()
    clock.advance(seconds=quiet - 1)
    with pytest.raises(type(error)):
        await source.token()
    assert host.asked == 1
    host.error = None
    clock.advance(seconds=1)
    assert await source.token() == "token-2"


async def test_a_clock_that_is_set_back_does_not_prolong_a_failure(
    source: TokenCache, host: LoginHost, clock: Clock
) -> None:
    host.error = Refused("expired")
    with pytest.raises(Refused):
        await source.token()
    host.error = None
    clock.advance(hours=-1)
    assert await source.token() == "token-2"


async def test_a_refused_token_is_dropped_once_a_minute(source: TokenCache, clock: Clock) -> None:
    first = await source.token()
    assert source.refused(first)
    assert source.refused(first)  # somebody else, who had the same
    second = await source.token()
    assert second == "token-2"
    assert source.refused(first)
    assert not source.refused(second)
    assert await source.token() == "token-2"
    clock.advance(minutes=1)
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


# --- with the simulated tenant ---


async def test_a_token_that_graph_refuses_is_replaced_within_the_reading(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.tenant.expire_tokens(driver_setup.app)
    assert outcomes(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
    assert driver_setup.sign_ins == 2


async def test_graph_that_refuses_every_token_is_not_given_one_after_the_other(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.faults.token_refused(times=None)
    driver = driver_setup.open()
    for _ in range(5):
        with pytest.raises(NotPermitted, match="401"):
            await driver_setup.read(driver)
    assert driver_setup.sign_ins == 2


async def test_a_401_within_a_batch_renews_the_token_once(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(401, code="InvalidAuthenticationToken", room=BOARDROOM, times=1)
    driver = driver_setup.open()
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]
    assert (driver_setup.sign_ins, driver_setup.batches) == (2, 2)
    assert [len(r.items) for r in driver_setup.simulator.requests if r.path.endswith("$batch")] == [2, 1]


async def test_a_401_within_a_batch_that_stays_is_that_room_s_own(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(401, code="UnknownError", room=BOARDROOM)
    driver = driver_setup.open()
    assert outcomes(await driver_setup.read(driver)) == ["forbidden", "read"]
    assert outcomes(await driver_setup.read(driver)) == ["forbidden", "unchanged"]
    assert driver_setup.sign_ins == 2


async def test_batches_side_by_side_share_a_new_token(driver_setup: DriverSetup) -> None:
    """Each of them has a room that is refused with the old token."""
    rooms = [driver_setup.tenant.add_room(f"room-{number}").address for number in range(100)]
    driver = driver_setup.open()
    await driver_setup.read(driver, *rooms)
    for room in rooms[::20]:
        driver_setup.tenant.faults.status(401, room=room, times=1)
    assert set(outcomes(await driver_setup.read(driver, *rooms))) == {"unchanged"}
    assert driver_setup.sign_ins == 2


async def test_a_login_host_that_is_down_does_not_stop_the_reading(
    driver_setup: DriverSetup, clock: Clock
) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    clock.advance(minutes=57)
    driver_setup.tenant.faults.drop(where=Where.LOGIN)
    assert outcomes(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
