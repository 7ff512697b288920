"""The access token: kept, renewed early, dropped when it is refused, and asked for no more than is polite."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from placed.driver import DriverError, Unavailable
from placed_microsoft365.background_thread import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 45.0  # seconds for a sign-in, which is two requests
_EARLY = 300.0  # seconds before its end at which a token is renewed
_AGAIN = 60.0  # seconds until a renewal is tried again, and until a second token in a row may be dropped
_RETRY = 2.0  # seconds for which a sign-in that failed is not repeated, where time heals it
_RETRY_REFUSED = 30.0  # the same, where a person has to
_GRANTS_HOLD = 300.0  # seconds for which a token is believed to hold what is granted, where it is doubted


@dataclass(frozen=True, slots=True)
class _Token:
    """Moments are seconds on the steady clock."""

    text: str = field(repr=False)
    issued_at: float
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    error: DriverError
    since: float
    until: float

    def holds(self, moment: float) -> bool:
        """Whether a sign-in is not to be repeated yet."""
        return self.since <= moment < self.until


class TokenCache:
    """Gives the token of one registration.

    Args:
        sign_in: gets a new token and its lifetime in seconds, see
            `placed_microsoft365.auth.msal_login.sign_in`. It blocks, so it is called in a thread.
        steady: seconds that only ever grow, so that a clock that is set has nobody sign in again.
    """

    def __init__(self, sign_in: Callable[[], tuple[str, float]], steady: Callable[[], float]) -> None:
        self._sign_in = sign_in
        self._steady = steady
        self._token: _Token | None = None
        self.issued = 0  # how many tokens there were so far
        self._failure: _Failure | None = None
        self._dropped_at: float | None = None
        self._doubted = False
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token that is good now.

        Raises:
            DriverError: there is none to be had.
        """
        kept = self._good()
        if kept is not None and self._lock.locked():
            return kept.text  # somebody sees to a new one, and this one does meanwhile
        async with self._lock:
            kept, moment = self._good(), self._moment()
            if kept is not None and moment < kept.renew_at and not self._outdated(kept, moment):
                return kept.text
            if self._failure is not None and self._failure.holds(moment):
                raise self._failure.error.with_traceback(None)
            try:
                self._token = await self._new(moment)
                self._doubted = False
            except DriverError as error:
                kept = self._good()
                if kept is None:
                    self._remember(error)
                    raise
                # While the old token is good, a login host that is down is no reason to stop.
                self._token = replace(kept, renew_at=self._moment() + _AGAIN)
            return self._token.text

    def refused(self, token: str) -> bool:
        """The service refused this token; whether the next one asked for is another.

        If a new one is refused as well, the token is not what is wrong, and it is kept for a minute.
        """
        if self._token is None or token != self._token.text:
            return True
        moment = self._moment()
        if self._dropped_at is not None and 0 <= moment - self._dropped_at < _AGAIN:
            return False
        self._token, self._dropped_at = None, moment
        return True

    @property
    def latest(self) -> str | None:
        """The token that is kept, for what it says of itself; it may be at its end."""
        return self._token.text if self._token is not None else None

    def suspect_grants(self) -> None:
        """Nothing may be read with the token: it is renewed as soon as it is some minutes old.

        It lists what was granted when it was issued, and consent may have been given since.
        """
        self._doubted = True

    def take_over(self, earlier: TokenCache) -> None:
        """Goes on with the token of another source of the same registration.

        Not with one whose grants are doubted: a new one may list what was granted since.
        """
        if self._token is None and not earlier._doubted:
            self._token = earlier._good()

    def drop(self) -> None:
        """What was readable with it is not any more; the next one tells whether consent still stands."""
        self._token = None

    def _outdated(self, token: _Token, moment: float) -> bool:
        return self._doubted and not 0 <= moment - token.issued_at < _GRANTS_HOLD

    async def _new(self, moment: float) -> _Token:
        try:
            async with asyncio.timeout(TIMEOUT):
                text, lifetime = await run_in_thread(self._sign_in)
        except TimeoutError:
            raise Unavailable("the login host takes too long") from None
        self.issued += 1
        early = min(_EARLY, lifetime / 2)
        return _Token(text, moment, moment + lifetime - early, moment + lifetime)

    def _good(self) -> _Token | None:
        return self._token if self._token is not None and self._moment() < self._token.ends_at else None

    def _remember(self, error: DriverError) -> None:
        healed_by_time = isinstance(error, Unavailable)
        rest = error.retry_after if error.retry_after is not None else _RETRY
        moment = self._moment()
        self._failure = _Failure(error, moment, moment + (rest if healed_by_time else _RETRY_REFUSED))

    def _moment(self) -> float:
        return self._steady()
